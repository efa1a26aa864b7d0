/** The entry of the component. Runs once when the component is built, and its handler in each instance. */
import { getAll } from "wasi:config/store@0.2.0-draft-2024-09-27"
import { open } from "wasi:keyvalue/store@0.2.0-draft2"
import { completeVerification } from "./crypto/verification.ts"
import { completeEngine } from "./engine.ts"
import type { Host } from "./Host.ts"
import { makeSignatureMemo } from "./SignatureMemo.ts"
import { makeHandler } from "./SpinGateway.ts"

/** `fetch` events of the engine, which no type library of TypeScript's has beside the DOM. */
interface FetchEvent extends Event {
  readonly request: Request
  readonly respondWith: (response: Promise<Response>) => void
}

const isFetchEvent = (event: Event): event is FetchEvent => "respondWith" in event

const host: Host = { variables: getAll, openStore: open }

completeEngine()

const handle = makeHandler(
  host,
  ({ storeVerdicts }) => completeVerification(crypto.subtle, storeVerdicts ? makeSignatureMemo(host) : undefined)
)

addEventListener("fetch", (event) => {
  if (isFetchEvent(event)) event.respondWith(handle(event.request))
})
