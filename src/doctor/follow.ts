/** Requests documents, and follows redirects as lenient clients do. */
import * as Effect from "effect/Effect"
import { Exchanges } from "./wire/Exchanges.ts"
import { isRedirect, type Reply, type Responded, targetOf, type ToSend } from "./wire/Reply.ts"

/** More redirects in a row count as a loop. */
const maxHops = 3

/** The redirects, and the last response. */
export interface Followed {
  readonly hops: ReadonlyArray<Responded>
  readonly last: Reply
}

/** Requests a document, and follows up to three redirects to any host. Never with a token. */
export const follow = Effect.fnUntraced(function*(request: ToSend): Effect.fn.Return<Followed, never, Exchanges> {
  const { send } = yield* Exchanges
  const hops: Array<Responded> = []
  let last = yield* send(request)
  while (last._tag === "Responded" && isRedirect(last) && hops.length < maxHops) {
    const target = targetOf(last)
    if (target === undefined) break
    hops.push(last)
    last = yield* send({ ...request, url: target, withToken: false })
  }
  return { hops, last }
})
