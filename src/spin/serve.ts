/** The part of the component that is the same for every host. */
import { completeVerification } from "./crypto/verification.ts"
import { completeEngine, steadyFetch } from "./engine.ts"
import type { Host } from "./Host.ts"
import { rehearse } from "./rehearsal.ts"
import { makeHandler } from "./SpinGateway.ts"

/** `fetch` events of the engine, which TypeScript declares only in libraries that conflict with the DOM. */
interface FetchEvent extends Event {
  readonly request: Request
  readonly respondWith: (response: Promise<Response>) => void
}

const isFetchEvent = (event: Event): event is FetchEvent => "respondWith" in event

/** Registers the handler of the component. Runs once when the component is built; the handler runs in each instance. */
export const serve = async (host: Omit<Host, "fetch">): Promise<void> => {
  completeEngine()
  completeVerification(crypto.subtle)

  const handle = makeHandler({ ...host, fetch: steadyFetch })

  addEventListener("fetch", (event) => {
    if (isFetchEvent(event)) event.respondWith(handle(event.request))
  })
  await rehearse()
}
