/** Requests whose token has to be verified: good ones that are new, and bad ones. */
import * as Effect from "effect/Effect"
import { Bench, type Case } from "../Bench.ts"
import { generate, type Load, type TokenRange } from "../load.ts"
import { median, score } from "../report/Outcome.ts"
import {
  contender,
  costFigures,
  measure,
  perSecond,
  rateFigures,
  takeTurns,
  toolsList,
  valuesOf,
  warmUp
} from "../rounds.ts"
import { bareProxy, gateway, upstream } from "../servers.ts"
import { badTokens, goodTokens } from "../tokens.ts"

// More than one core can verify; a load that uses its tokens up is reported as a fault, not as a rate.
const verificationsPerSecond = 12_000

// The way of a new token, once that of a known one is warm.
const warmingSeconds = 1

/**
 * A gateway whose memory of verified tokens is empty: each round starts another one, and warms it up with other tokens
 * than those that count.
 */
const newGateway = Effect.fnUntraced(function*(origin: string, load: Load, tokens: TokenRange) {
  const { generator } = yield* Bench
  const server = yield* gateway(origin)
  yield* warmUp(server, load)
  const warming = { ...tokens, count: warmingSeconds * verificationsPerSecond, repeat: false }
  yield* generate(generator, server.origin, { ...load, tokens: warming }, warmingSeconds)
  const counted = { ...tokens, from: warming.count, count: tokens.count - warming.count, repeat: false }
  return yield* measure(server, { ...load, tokens: counted })
}, Effect.scoped)

export const fresh: Case = {
  name: "new",
  run: Effect.gen(function*() {
    const { directory, seconds } = yield* Bench
    const { origin } = yield* upstream
    const load = yield* toolsList
    const tokens = yield* goodTokens(directory, "new", (warmingSeconds + seconds) * verificationsPerSecond)
    const bad = yield* badTokens(directory)
    const verifier = yield* gateway(origin)
    const rejected = (name: string, tokens: TokenRange) =>
      contender(name, verifier, { ...load, tokens, rejected: true })
    const contenders = [
      { name: "gateway, new", measure: newGateway(origin, load, tokens) },
      yield* contender("bare proxy", yield* bareProxy(origin), { ...load, tokens }),
      yield* rejected("gateway, bad signature", bad.signature),
      yield* rejected("gateway, unknown key", bad.key),
      yield* rejected("gateway, garbage", bad.garbage)
    ]
    const results = yield* takeTurns(contenders)
    const rate = (name: string) => median(valuesOf(results, name, perSecond))
    const accepted = rate("gateway, new")
    const rejection = (id: string, what: string) =>
      score(`refused/${id}`, `${what}: rejected to accepted new`, rate(`gateway, ${what}`) / accepted)
    return {
      figures: [...rateFigures(results), ...costFigures(results)],
      scores: [
        score("new/bare", "every token new: gateway to bare proxy", accepted / rate("bare proxy")),
        rejection("signature", "bad signature"),
        rejection("key", "unknown key"),
        rejection("garbage", "garbage")
      ],
      notes: []
    }
  })
}
