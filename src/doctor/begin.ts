/** The first message of a client, in a revision that the server supports. */
import * as Effect from "effect/Effect"
import { initialize, modern } from "./messages.ts"
import { hasResponse, resultOf } from "./readMessage.ts"
import { Exchanges } from "./wire/Exchanges.ts"
import { type Reply, type Responded, type ToSend } from "./wire/Reply.ts"

/** A reply, and the message that it is for. */
export interface Begun {
  readonly reply: Responded
  readonly opening: ToSend
}

/** Statuses that depend on the caller, in every revision. */
const aboutCaller: ReadonlySet<number> = new Set([401, 403, 429])

/**
 * Returns the response to `initialize`. If the server supports only the revision without sessions, which need not know
 * `initialize`, returns the response to `server/discover`.
 *
 * @param arrival the response to `initialize`
 */
export const orDiscover = Effect.fnUntraced(function*(
  url: URL,
  arrival: Responded,
  withToken: boolean
): Effect.fn.Return<Begun, never, Exchanges> {
  const begun: Begun = { reply: arrival, opening: initialize(url) }
  if (arrival.status < 400 || arrival.status >= 500 || aboutCaller.has(arrival.status)) return begun
  const { send } = yield* Exchanges
  const opening = modern(url, "server/discover")
  const reply: Reply = yield* send({ ...opening, withToken, enough: hasResponse })
  const counts = reply._tag === "Responded" &&
    (aboutCaller.has(reply.status) || (reply.status === 200 && resultOf(reply) !== undefined))
  return counts ? { reply, opening } : begun
})
