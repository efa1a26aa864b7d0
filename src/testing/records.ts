/** Everything that code under test writes where operators look: log entries, spans, and the console. */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"

/** All of a value as text, hidden members and getters included. */
export const everything = (value: unknown): string =>
  inspect(value, { depth: 20, showHidden: true, getters: true, maxStringLength: Infinity, maxArrayLength: Infinity })

/** The forms in which a failure may be shown. */
export const failureTexts = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => [
  Cause.pretty(cause),
  everything(cause),
  String(cause),
  ...cause.reasons.flatMap((reason) => {
    const error: unknown = Cause.isFailReason(reason) ? reason.error : undefined
    return [String(error), JSON.stringify(error) ?? "", everything(error)]
  })
]

const spanText = ({ attributes, events, links, name, status }: Tracer.NativeSpan): string =>
  everything({
    name,
    attributes,
    events,
    links: links.map((link) => link.attributes),
    // Exporters write how a span failed, not what it gave.
    failure: status._tag === "Ended" && Exit.isFailure(status.exit) ? failureTexts(status.exit.cause) : undefined
  })

const methods = ["debug", "error", "info", "log", "trace", "warn"] as const

const watchConsole = (write: (text: string) => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.sync(() => {
      const before = methods.map((method) => [method, console[method]] as const)
      for (const method of methods) console[method] = (...values: ReadonlyArray<unknown>) => write(everything(values))
      return before
    }),
    (before) =>
      Effect.sync(() => {
        for (const [method, original] of before) console[method] = original
      })
  ))

/** What was written while an effect ran. */
export interface Records {
  /** Call it when the effect is done: spans are read as they are then. */
  readonly texts: () => ReadonlyArray<string>
  /** Runs an effect with a logger of every level, a tracer and a console that write here. */
  readonly record: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const makeRecords = (): Records => {
  const written: Array<string> = []
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const layer = Layer.mergeAll(
    Logger.layer([Logger.make((entry) => {
      written.push(`${Logger.formatJson.log(entry)}\n${everything(entry.message)}`)
    })]),
    Layer.succeed(References.MinimumLogLevel, "All"),
    Layer.succeed(Tracer.Tracer, tracer),
    Layer.succeed(Console.Console, globalThis.console)
  )
  return {
    texts: () => [...written, ...spans.map(spanText)],
    record: (effect) =>
      Effect.scoped(Effect.andThen(watchConsole((text) => written.push(text)), Effect.provide(effect, layer)))
  }
}
