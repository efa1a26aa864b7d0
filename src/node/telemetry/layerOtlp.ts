/** The exporters. Loaded only if something is exported. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpResource from "effect/observability/OtlpResource"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Tracer from "effect/Tracer"
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { PropagatesContext } from "../../trace/traceContext.ts"
import { version } from "../../version.ts"
import type { ProxyFor } from "../outbound/proxies.ts"
import { makeCollector, makeReports, type Reports } from "./Collector.ts"
import { makeLogExporter } from "./logRecords.ts"
import { withUnits } from "./metricUnits.ts"
import { sampled } from "./sampler.ts"
import type { Export, Signal, Telemetry } from "./Telemetry.ts"

/** How long the end of the process may wait for data that were not sent yet. */
const shutdownTimeout = "3 seconds"

const resourceOf = ({ attributes, serviceName }: Telemetry, worker: number | undefined) => {
  const { "service.instance.id": given, ...others } = attributes
  const ofWorker = given === undefined || worker === undefined ? given : `${given}.${worker}`
  return {
    serviceName,
    serviceVersion: version,
    attributes: {
      "host.name": hostname(),
      "process.pid": process.pid,
      ...others,
      // Each process counts for itself: two with one id would overwrite each other's metrics.
      "service.instance.id": ofWorker ?? randomUUID()
    }
  }
}

const serializationOf = ({ protocol }: Export) =>
  Layer.effect(
    OtlpSerialization.OtlpSerialization,
    Effect.map(OtlpSerialization.OtlpSerialization, (plain) =>
      OtlpSerialization.OtlpSerialization.of({ ...plain, metrics: (data) => plain.metrics(withUnits(data)) }))
  ).pipe(Layer.provide(protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf))

const common = ({ compression, headers, url }: Export) => ({ compression, headers, url, shutdownTimeout }) as const

export interface OtlpOptions {
  readonly telemetry: Telemetry
  readonly proxyFor: ProxyFor
  readonly worker?: number | undefined
}

const layerWith = ({ proxyFor, telemetry, worker }: OtlpOptions, reports: Reports) => {
  const { exports: { logs, metrics, traces }, metricIntervalMillis, temporality } = telemetry
  const closing: Array<() => void> = []
  const resource = resourceOf(telemetry, worker)

  const services = (signal: Signal, target: Export, maxPending: number) =>
    Layer.merge(
      serializationOf(target),
      Layer.effect(
        HttpClient.HttpClient,
        Effect.map(
          makeCollector({
            signal,
            target,
            maxPending,
            reports,
            proxyFor,
            reportsLoss: signal === "metrics" && temporality === "delta"
          }),
          ({ client, close }) => {
            closing.push(close)
            return client
          }
        )
      )
    )

  const tracing = traces === undefined ? Layer.empty : Layer.effect(
    Tracer.Tracer,
    Effect.map(
      OtlpTracer.make({
        ...common(traces),
        resource,
        exportInterval: telemetry.spans.delayMillis,
        maxBatchSize: telemetry.spans.maxBatch
      }),
      (tracer) => sampled(tracer, telemetry.sampler)
    )
  ).pipe(
    Layer.provide(services("traces", traces, Math.ceil(telemetry.spans.maxQueue / telemetry.spans.maxBatch)))
  )

  const logging = logs === undefined ? Layer.empty : Logger.layer([
    makeLogExporter({
      ...common(logs),
      resource: OtlpResource.make(resource),
      exportInterval: telemetry.logs.delayMillis,
      maxBatchSize: telemetry.logs.maxBatch
    })
  ], { mergeWithExisting: true }).pipe(
    Layer.provide(services("logs", logs, Math.ceil(telemetry.logs.maxQueue / telemetry.logs.maxBatch)))
  )

  const measuring = metrics === undefined ? Layer.empty : Layer.effectDiscard(
    OtlpMetrics.make({ ...common(metrics), resource, exportInterval: metricIntervalMillis, temporality })
  ).pipe(Layer.provide(services("metrics", metrics, 1)))

  // Built last, so that it runs first: the exporters would wait for the collector one after another.
  const flushing = Layer.effectDiscard(
    Effect.flatMap(OtlpExporter.Flusher, ({ flush }) =>
      Effect.addFinalizer(() =>
        flush.pipe(
          Effect.interruptible,
          Effect.timeoutOption(shutdownTimeout),
          Effect.andThen(Effect.sync(() => closing.forEach((close) => close())))
        )
      ))
  )

  return flushing.pipe(
    Layer.provideMerge(
      Layer.mergeAll(tracing, logging, measuring, Layer.succeed(PropagatesContext, telemetry.propagates))
    ),
    Layer.provide(OtlpExporter.layerFlusher),
    // The exporters would read the variables by themselves as well.
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({})))
  )
}

/** Provides the tracer and adds the logger of this process, and exports its metrics. What waits is sent at the end. */
export const layerOtlp = (options: OtlpOptions): Layer.Layer<never> =>
  Layer.unwrap(Effect.map(makeReports(), (reports) => layerWith(options, reports)))
