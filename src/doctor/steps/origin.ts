/** Step 12: whether the server protects itself against web pages of other origins (DNS rebinding). */
import * as Effect from "effect/Effect"
import { isLoopbackHost } from "../../config/kinds/loopback.ts"
import { makeFinding } from "../Finding.ts"
import { end, initialize } from "../messages.ts"
import { hasResponse, resultOf } from "../readMessage.ts"
import { rules } from "../rules/origin.ts"
import { readSession } from "../session.ts"
import { type Known, type Outcome, skipped, type Step } from "../Step.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import { inShort, requestLine } from "../wire/Reply.ts"

const finding = makeFinding(rules)

const strangeOrigin = "https://doctor.invalid"

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const { isOpen, session, url } = known
  const { send } = yield* Exchanges
  const request = initialize(url)
  const reply = yield* send({
    ...request,
    headers: { ...request.headers, origin: strangeOrigin },
    withToken: true,
    enough: hasResponse
  })
  if (reply._tag === "NoReply") return skipped(inShort(reply))
  const began = readSession(reply)
  if (began?.id !== undefined) yield* send({ ...end(url, began), withToken: true })
  if (reply.status === 403) return { seen: `${strangeOrigin} gets 403`, findings: [] }
  if (resultOf(reply) === undefined) {
    return session === undefined && !isOpen
      ? skipped("the token is checked first; give one with --token-file")
      : { seen: `${strangeOrigin} gets ${inShort(reply)}`, findings: [] }
  }
  // Without a token, or on this machine, only the check of the origin protects the server.
  const level = isOpen || isLoopbackHost(url.hostname) ? "warning" : "note"
  return {
    seen: `${strangeOrigin} may connect`,
    findings: [
      finding("origin-unchecked", { at: `${requestLine(reply)} from ${strangeOrigin}`, found: inShort(reply), level })
    ]
  }
})

export const origin: Step = { id: "origin", title: "Origin", rules, check }
