import type { Subject } from "../message/operation.ts"

/** The methods by which each kind of subject is used, the first one being the most usual. */
export const methodsOf: { readonly [Kind in Subject["kind"]]: readonly [string, ...ReadonlyArray<string>] } = {
  tool: ["tools/call"],
  prompt: ["prompts/get", "completion/complete"],
  resource: [
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "completion/complete",
    "subscriptions/listen"
  ]
}
