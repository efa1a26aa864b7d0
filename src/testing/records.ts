/** Everything that the code under test writes for operators: log entries, spans, and console output. */
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

/** Returns all of a value as text, including hidden members and getters. */
export const everything = (value: unknown): string =>
  inspect(value, { depth: 20, showHidden: true, getters: true, maxStringLength: Infinity, maxArrayLength: Infinity })

/** Returns the forms in which a failure may be shown. */
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
    // Exporters write the failure of a span, not its result.
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

/** The output that was written while an effect ran. */
export interface Records {
  /** Call this after the effect has ended: spans are read in their final state. */
  readonly texts: () => ReadonlyArray<string>
  /** A logger of every level and a tracer that record here. */
  readonly layer: Layer.Layer<never>
  /** Records console output until the scope closes. */
  readonly watchConsole: Effect.Effect<void, never, Scope.Scope>
  /** Runs an effect with all of these. */
  readonly record: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const makeRecords = (): Records => {
  // Converted to text on reading, because most records of most cases are never read.
  const written: Array<() => string> = []
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
      // At once, because annotations may change.
      const line = Logger.formatJson.log(entry)
      written.push(() => `${line}\n${everything(entry.message)}`)
    })]),
    Layer.succeed(References.MinimumLogLevel, "All"),
    Layer.succeed(Tracer.Tracer, tracer),
    Layer.succeed(Console.Console, globalThis.console)
  )
  const watching = watchConsole((text) => written.push(() => text))
  return {
    texts: () => [...written.map((text) => text()), ...spans.map(spanText)],
    layer,
    watchConsole: watching,
    record: (effect) => Effect.scoped(Effect.andThen(watching, Effect.provide(effect, layer)))
  }
}
