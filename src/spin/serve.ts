/** The component's part that is the same for every host. */
import { completeVerification } from "./crypto/verification.ts"
import { completeEngine, steadyFetch } from "./engine.ts"
import type { Host } from "./Host.ts"
import { readSettings } from "./settings.ts"
import { makeHandler } from "./SpinGateway.ts"

/** `fetch` events of the engine, which no type library of TypeScript's has beside the DOM. */
interface FetchEvent extends Event {
  readonly request: Request
  readonly respondWith: (response: Promise<Response>) => void
}

const isFetchEvent = (event: Event): event is FetchEvent => "respondWith" in event

const rehearsed = [
  ["mcp_server_url", "https://mcp.invalid/mcp"],
  ["mcp_jwt_issuer", "https://issuer.invalid"],
  ["mcp_jwt_jwks_uri", "https://issuer.invalid/jwks"],
  ["mcp_jwt_audience", "mcp-api"],
  ["mcp_required_scopes", "mcp:read"]
] as const

/** Answers the requests of the component. Runs once when the component is built, and its handler in each instance. */
export const serve = (host: Pick<Host, "openStore" | "variables">): void => {
  completeEngine()
  completeVerification(crypto.subtle)
  // What is slow the first time, here and not in each instance: digests, and the rules that settings are read by.
  void crypto.subtle.digest("SHA-256", new Uint8Array())
  readSettings({ variables: () => rehearsed })

  const handle = makeHandler({ ...host, fetch: steadyFetch })

  addEventListener("fetch", (event) => {
    if (isFetchEvent(event)) event.respondWith(handle(event.request))
  })
}
