/** The part of the component that is the same for every host. */
import { completeVerification } from "./crypto/verification.ts"
import { completeEngine, steadyFetch } from "./engine.ts"
import type { Host } from "./Host.ts"
import { readSettings } from "./settings.ts"
import { makeHandler } from "./SpinGateway.ts"

/** `fetch` events of the engine, which TypeScript declares only in libraries that conflict with the DOM. */
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

/** Registers the handler of the component. Runs once when the component is built; the handler runs in each instance. */
export const serve = (host: Omit<Host, "fetch">): void => {
  completeEngine()
  completeVerification(crypto.subtle)
  // Warms up digests and the rules for settings when the component is built, because they are slow on first use.
  void crypto.subtle.digest("SHA-256", new Uint8Array())
  readSettings({ variables: () => rehearsed })

  const handle = makeHandler({ ...host, fetch: steadyFetch })

  addEventListener("fetch", (event) => {
    if (isFetchEvent(event)) event.respondWith(handle(event.request))
  })
}
