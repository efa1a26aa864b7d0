/** A component that verifies one signature several times, by the engine and by our code, and reports the durations. */
import { makeVerification } from "../../../src/spin/crypto/verification.ts"

interface Question {
  readonly jwk: JsonWebKey
  readonly signature: ReadonlyArray<number>
  readonly message: ReadonlyArray<number>
}

interface FetchEvent extends Event {
  readonly request: Request
  readonly respondWith: (response: Promise<Response>) => void
}

const rounds = 10
const rs256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }

const { subtle } = crypto
const engine = {
  digest: subtle.digest.bind(subtle),
  importKey: subtle.importKey.bind(subtle),
  verify: subtle.verify.bind(subtle)
}

/** Milliseconds for the key of a set and one signature, as each instance has them. */
const millis = async (
  { importKey, verify }: Pick<SubtleCrypto, "importKey" | "verify">,
  { jwk, message, signature }: Question
) => {
  const begun = performance.now()
  for (let round = 0; round < rounds; round++) {
    const key = await importKey("jwk", jwk, rs256, true, ["verify"])
    if (!(await verify(rs256, key, Uint8Array.from(signature), Uint8Array.from(message)))) {
      throw new Error("not verified")
    }
  }
  return (performance.now() - begun) / rounds
}

const reply = async (request: Request) => {
  // Only the benchmark itself sends requests, in this form.
  const question = await request.json() as Question
  return Response.json({
    engine: await millis(engine, question),
    own: await millis(makeVerification(engine), question)
  })
}

// No type library declares the engine's events.
const isFetchEvent = (event: Event): event is FetchEvent => "respondWith" in event

addEventListener("fetch", (event) => {
  if (isFetchEvent(event)) event.respondWith(reply(event.request))
})
