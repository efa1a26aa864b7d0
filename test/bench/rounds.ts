/** Measuring several things fairly: in turns, so that what disturbs the machine disturbs them alike. */
import * as Effect from "effect/Effect"
import { Bench } from "./Bench.ts"
import { generate, type Load, type LoadResult } from "./load.ts"
import { processorMicros, type Running } from "./processes.ts"
import { type Figure, figure } from "./report/Outcome.ts"

/** The measurements of one round. */
export interface Measured extends LoadResult {
  /** Processor time of the server, in microseconds a request. */
  readonly processor: number
}

/** One of the compared servers; `measure` does one round. */
export interface Contender<R> {
  readonly name: string
  readonly measure: Effect.Effect<Measured, never, R>
}

export type Results = Readonly<Record<string, ReadonlyArray<Measured>>>

/** Measures all contenders once in each round, each time beginning with another one; returns the results by name. */
export const takeTurns = Effect.fnUntraced(function*<R>(contenders: ReadonlyArray<Contender<R>>) {
  const { rounds } = yield* Bench
  const results: Record<string, Array<Measured>> = {}
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length]
      if (contender === undefined) continue
      const result = yield* contender.measure
      results[contender.name] = [...results[contender.name] ?? [], result]
    }
  }
  return results
})

/** The load of an ordinary request with tokens that the server has seen before. */
export const toolsList = Effect.map(Bench, ({ seenTokens, toolsListFile }): Load => ({
  tokens: seenTokens,
  bodyFile: toolsListFile,
  headers: { "mcp-method": "tools/list" }
}))

// By then V8 has compiled the hot code. A server that is too slow for this many requests is not waited for.
const warmRequests = 20_000
const warmPasses = 4

/** Before anything counts: compiles the hot code, opens connections, fetches keys. */
export const warmUp = Effect.fnUntraced(function*({ origin }: Running, load: Load) {
  const { generator, seconds } = yield* Bench
  let requests = 0
  for (let pass = 0; pass < warmPasses && requests < warmRequests; pass++) {
    requests += (yield* generate(generator, origin, load, seconds)).requests
  }
})

/** Puts a server under load as long as one measurement takes, and longer if `leastSeconds` is more. */
export const measure = Effect.fnUntraced(function*({ origin, pid }: Running, load: Load, leastSeconds = 1) {
  const { generator, seconds } = yield* Bench
  const before = processorMicros(pid)
  const result = yield* generate(generator, origin, load, Math.max(seconds, leastSeconds))
  const measured: Measured = { ...result, processor: (processorMicros(pid) - before) / result.requests }
  return measured
})

/** A server that is warm, under one load. */
export const contender = Effect.fnUntraced(function*(name: string, server: Running, load: Load) {
  yield* warmUp(server, load)
  return { name, measure: measure(server, load) }
})

/** The measurements of one contender. */
export const valuesOf = (
  results: Results,
  name: string,
  value: (result: Measured) => number
): ReadonlyArray<number> => (results[name] ?? []).map(value)

export const perSecond = ({ requests, seconds }: LoadResult): number => requests / seconds

/** The rates of all contenders. */
export const rateFigures = (results: Results): ReadonlyArray<Figure> =>
  Object.keys(results).map((name) => figure(name, "requests/s", valuesOf(results, name, perSecond)))

/**
 * The processor time of a request, for contenders with one process: it varies less than a rate while the machine does
 * other work.
 */
export const costFigures = (results: Results): ReadonlyArray<Figure> =>
  Object.keys(results).map((name) =>
    figure(`${name}, processor time`, "µs a request", valuesOf(results, name, ({ processor }) => processor))
  )
