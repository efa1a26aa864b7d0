import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { readFile } from "node:fs/promises"
import { createSecureContext } from "node:tls"
import { InvalidConfiguration, type Problem } from "../../config/InvalidConfiguration.ts"
import { readProxies } from "../outbound/proxies.ts"
import { type ReadTelemetry, readTelemetry } from "./readTelemetry.ts"
import type { Export, Telemetry } from "./Telemetry.ts"

const certificateFix = "Name a readable file in PEM"

/** The problems of the files with certificates and keys. */
const problemsOfFiles = Effect.fnUntraced(function*({ certificate, clientCertificate, clientKey }: Export) {
  const files = [
    ["OTEL_EXPORTER_OTLP_CERTIFICATE", certificate, "ca"],
    ["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", clientCertificate, "cert"],
    ["OTEL_EXPORTER_OTLP_CLIENT_KEY", clientKey, "key"]
  ] as const
  return yield* Effect.forEach(
    files,
    ([setting, path, kind]) =>
      path === undefined ? Effect.succeed([]) : Effect.tryPromise(() => readFile(path)).pipe(
        Effect.flatMap((content) => Effect.try(() => createSecureContext({ [kind]: content }))),
        Effect.match({
          onSuccess: (): ReadonlyArray<Problem> => [],
          onFailure:
            () => [{ setting, source: undefined, problem: "cannot be read, or is not in PEM", fix: certificateFix }]
        })
      )
  )
})

/** Reads what this process exports. Fails with `InvalidConfiguration` for values that cannot be followed. */
export const loadTelemetry = Effect.gen(function*(): Effect.fn.Return<ReadTelemetry, InvalidConfiguration> {
  const read = yield* Effect.mapError(
    Effect.fromResult(readTelemetry(process.env)),
    (problems) => new InvalidConfiguration({ problems })
  )
  const targets = Object.values(read.telemetry?.exports ?? {}).filter((target) => target !== undefined)
  const problems = (yield* Effect.forEach(targets, problemsOfFiles)).flat(2)
  const first = problems.filter(({ setting }, index) => problems.findIndex((one) => one.setting === setting) === index)
  return first.length === 0 ? read : yield* new InvalidConfiguration({ problems: first })
})

const only = (telemetry: Telemetry, isPrimary: boolean): Telemetry =>
  isPrimary ? { ...telemetry, exports: { logs: telemetry.exports.logs } } : telemetry

/**
 * Exports traces, metrics and log entries of this process over OTLP/HTTP, according to the variables of OpenTelemetry.
 *
 * Without an endpoint nothing is loaded. Provide it below the gateway, above the log.
 */
export const layerTelemetry = (
  { isPrimary = false, worker }: {
    /** Whether the process serves no requests itself: then there are only log entries. */
    readonly isPrimary?: boolean
    readonly worker?: number
  } = {}
): Layer.Layer<never> =>
  Layer.unwrap(Effect.gen(function*() {
    // `loadSettings` has reported the problems.
    const { telemetry, warnings } = yield* Effect.orDie(loadTelemetry)
    // Once for all workers.
    if (worker === undefined) {
      yield* Effect.forEach(warnings, (warning) => Effect.logWarning(warning), { discard: true })
    }
    if (telemetry === undefined) return Layer.empty
    const { layerOtlp } = yield* Effect.promise(() => import("./layerOtlp.ts"))
    const proxyFor = Result.getOrElse(readProxies(process.env), () => () => undefined)
    return layerOtlp({ telemetry: only(telemetry, isPrimary), proxyFor, worker })
  }))
