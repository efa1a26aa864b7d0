import type { Subject } from "../message/operation.ts"

/** The methods that use each kind of subject, the most common one first. */
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
