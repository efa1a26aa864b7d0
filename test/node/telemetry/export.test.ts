/** The exports of a gateway at a collector, and the gateway while the collector fails. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { createServer } from "node:net"
import { request } from "undici"
import { GatewayConfig } from "../../../src/config/GatewayConfig.ts"
import { isMetricName, metrics as table } from "../../../src/metrics/table.ts"
import * as NodeGateway from "../../../src/node/NodeGateway.ts"
import { layerOtlp } from "../../../src/node/telemetry/layerOtlp.ts"
import { readTelemetry } from "../../../src/node/telemetry/readTelemetry.ts"
import { eventually } from "../../fixtures/eventually.ts"
import { ping, toolCall } from "../../fixtures/messages.ts"
import { settings } from "../../fixtures/settings.ts"
import { LogCapture } from "../../support/canary.ts"
import { makeRecordingUpstream } from "../../support/RecordingUpstream.ts"
import { startTlsServer } from "../../support/tlsServer.ts"
import { makeCollectorServer } from "./OtlpCollector.ts"

const quick = {
  OTEL_BSP_SCHEDULE_DELAY: "20",
  OTEL_BLRP_SCHEDULE_DELAY: "20",
  OTEL_METRIC_EXPORT_INTERVAL: "100"
}

/** A gateway that exports according to some variables. Its scope can be closed before the end of the test. */
const start = Effect.fnUntraced(function*(environment: Readonly<Record<string, string>>, worker?: number) {
  const upstream = yield* makeRecordingUpstream
  const { telemetry } = Result.getOrThrow(readTelemetry(environment))
  assert.isDefined(telemetry)
  const scope = yield* Scope.fork(yield* Effect.scope)
  const otlp = telemetry === undefined ? Layer.empty : layerOtlp({ telemetry, proxyFor: () => undefined, worker })
  const context = yield* Layer.build(
    NodeGateway.layerUnannounced().pipe(
      Layer.provide(Layer.succeed(GatewayConfig, settings(`${upstream.origin}/mcp`))),
      Layer.provide(otlp),
      Layer.provideMerge(LogCapture.layer)
    )
  ).pipe(Scope.provide(scope))
  const origin = NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)
  const log = Context.get(context, LogCapture)
  return {
    upstream,
    close: Scope.close(scope, Exit.void),
    warnings: () => log.entries().filter((entry) => entry.includes("Telemetry cannot be exported")),
    recoveries: () => log.entries().filter((entry) => entry.includes("Telemetry is exported again")),
    call: (body = ping, headers: Readonly<Record<string, string>> = {}) =>
      Effect.promise(async () => {
        const response = await request(`${origin}/mcp`, {
          method: "POST",
          headers: { authorization: "Bearer dev-token", "content-type": "application/json", ...headers },
          body
        })
        await response.body.text()
        return response.statusCode
      })
  }
})

const nothingFor = (millis: number) => Effect.promise(() => new Promise((resolve) => setTimeout(resolve, millis)))

for (const protocol of ["http/json", "http/protobuf"] as const) {
  describe(`over ${protocol}`, () => {
    it.live("spans of a tool call arrive with their parents, their attributes and the resource", () =>
      Effect.gen(function*() {
        const collector = yield* makeCollectorServer
        const { call } = yield* start({
          ...quick,
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
          OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20collector",
          OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test"
        })
        assert.strictEqual(
          yield* call(toolCall("search"), {
            traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "mcp-session-id": "c4n4ry-session"
          }),
          200
        )
        yield* eventually(() => collector.spans().length >= 3)
        const spans = collector.spans()
        const named = (name: string) => spans.find((span) => span.name === name)
        const [server, verify, forward] = ["tools/call search", "mcp-authorizer.verify", "mcp-authorizer.forward"].map(
          named
        )
        assert.deepStrictEqual(
          [server, verify, forward].map((span) => [span?.traceId, span?.parentSpanId, span?.kind, span?.status]),
          [
            ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", 2, 1],
            ["4bf92f3577b34da6a3ce929d0e0e4736", server?.spanId, 1, 1],
            ["4bf92f3577b34da6a3ce929d0e0e4736", server?.spanId, 3, 1]
          ]
        )
        assert.deepInclude(server?.attributes, {
          "mcp.method.name": "tools/call",
          "gen_ai.tool.name": "search",
          "http.response.status_code": 200
        })
        assert.deepInclude(server?.resource, {
          "service.name": "mcp-authorizer",
          "service.version": "0.1.0",
          "deployment.environment.name": "test",
          "process.pid": process.pid
        })
        assert.isAbove(server?.nanos ?? 0, forward?.nanos ?? Number.POSITIVE_INFINITY)
        for (const { bytes, headers } of collector.requests) {
          assert.strictEqual(
            headers["content-type"],
            protocol === "http/json" ? "application/json" : "application/x-protobuf"
          )
          assert.strictEqual(headers.authorization, "Bearer collector")
          for (const secret of ["dev-token", "c4n4ry", "dev-user"]) assert.notInclude(bytes.toString("latin1"), secret)
        }
      }))

    it.live("log entries arrive by OpenTelemetry's names, in their span", () =>
      Effect.gen(function*() {
        const collector = yield* makeCollectorServer
        const { call } = yield* start({
          ...quick,
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol
        })
        yield* call(toolCall("search"), { "x-trace-id": "mine" })
        yield* eventually(() => collector.logs().some(({ body }) => body === "request") && collector.spans().length > 2)
        const server = collector.spans().find(({ kind }) => kind === 2)
        const entry = collector.logs().find(({ body }) => body === "request")
        assert.deepStrictEqual([entry?.severity, entry?.traceId, entry?.spanId], [
          "INFO",
          server?.traceId,
          server?.spanId
        ])
        assert.deepInclude(entry?.attributes, {
          "http.request.method": "POST",
          "gen_ai.tool.name": "search",
          "http.response.status_code": 200,
          "http.request.id": "mine"
        })
        assert.notProperty(entry?.attributes, "effect.fiberId")
        assert.strictEqual(entry?.resource["service.instance.id"], server?.resource["service.instance.id"])
      }))

    it.live("metrics arrive with their names, units and temporality", () =>
      Effect.gen(function*() {
        const collector = yield* makeCollectorServer
        const name = `test.export.calls.${protocol}`
        const counter = Metric.counter(name, { attributes: { unit: "{call}", kind: "a" }, incremental: true })
        yield* Metric.update(counter, 3)
        const { call } = yield* start({
          ...quick,
          OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${collector.origin}/v1/metrics`,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol
        })
        yield* call()
        yield* eventually(() => collector.metrics().some((metric) => metric.name === name))
        const metric = collector.metrics().find((metric) => metric.name === name)
        assert.deepInclude(metric, { kind: "sum", unit: "{call}", temporality: 2 })
        assert.deepStrictEqual(metric?.points, [{ attributes: { kind: "a" }, value: 3 }])
        // The units of the gateway's own metrics are those of their table.
        for (const { name, points, unit } of collector.metrics()) {
          if (!isMetricName(name)) continue
          const row = table[name]
          assert.strictEqual(unit, row.unit, name)
          for (const { attributes } of points) {
            assert.includeMembers(Object.keys(row.labels), Object.keys(attributes), name)
          }
        }
        const lookups = collector.metrics().find((metric) => metric.name === "mcp_authorizer.verdict.lookups")
        assert.deepInclude(lookups, { kind: "sum", unit: "{lookup}" })
        assert.deepStrictEqual([...new Set(collector.requests.map(({ path }) => path))], ["/v1/metrics"])
      }))
  })
}

describe("the export", () => {
  it.live("compresses, and keeps the path and the query of an endpoint", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      const { call } = yield* start({
        ...quick,
        OTEL_BSP_SCHEDULE_DELAY: "200",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.origin}/in/traces?key=1`,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_COMPRESSION: "gzip"
      })
      yield* Effect.forEach(Array.from({ length: 10 }), () => call())
      yield* eventually(() => collector.requests.length > 0)
      const [first] = collector.requests
      assert.strictEqual(first?.path, "/in/traces?key=1")
      assert.strictEqual(first?.headers["content-encoding"], "gzip")
      assert.isArray(JSON.parse(first?.bytes.toString() ?? "").resourceSpans)
    }))

  it.live("trusts the authority that the operator names, and no other certificate", () =>
    Effect.gen(function*() {
      const server = yield* startTlsServer((incoming, response) => {
        incoming.resume()
        response.end()
      })
      const variables = { ...quick, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `https://localhost:${server.port}/v1/traces` }
      const trusting = yield* start({ ...variables, OTEL_EXPORTER_OTLP_CERTIFICATE: server.caFile })
      yield* trusting.call()
      yield* eventually(() => server.requests.length > 0)
      assert.deepStrictEqual(trusting.warnings(), [])
      yield* trusting.close
      const before = server.requests.length
      const other = yield* start(variables)
      yield* other.call()
      yield* eventually(() => other.warnings().length > 0)
      assert.match(other.warnings()[0] ?? "", /SELF_SIGNED_CERT|UNABLE_TO_VERIFY/)
      assert.strictEqual(server.requests.length, before)
    }))

  it.live("sends what waits when the gateway shuts down", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      const { call, close } = yield* start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin })
      yield* call(toolCall("last"))
      yield* nothingFor(20)
      assert.deepStrictEqual(collector.requests, [])
      yield* close
      assert.isTrue(collector.spans().some(({ name }) => name === "tools/call last"))
      assert.isTrue(collector.logs().some(({ body }) => body === "request"))
      assert.isTrue(collector.requests.some(({ path }) => path === "/v1/metrics"))
    }))

  it.live("gives each worker an id of its own, also where the operator has set one", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      const environment = {
        ...quick,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.origin}/v1/traces`,
        OTEL_RESOURCE_ATTRIBUTES: "service.instance.id=pod-7"
      }
      for (const worker of [1, 2]) yield* (yield* start(environment, worker)).call()
      yield* eventually(() =>
        new Set(collector.spans().map(({ resource }) => resource["service.instance.id"])).size === 2
      )
      const ids = collector.spans().map(({ resource }) => resource["service.instance.id"])
      assert.sameMembers([...new Set(ids)], ["pod-7.1", "pod-7.2"])
    }))

  it.live("records the share of traces that the sampler chooses, and propagates the others as not recorded", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      const { call, close, upstream } = yield* start({
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.origin}/v1/traces`,
        OTEL_TRACES_SAMPLER: "parentbased_always_off"
      })
      yield* call(toolCall("unsampled"))
      yield* call(toolCall("sampled"), { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" })
      yield* close
      assert.deepStrictEqual([...new Set(collector.spans().map(({ traceId }) => traceId))], [
        "4bf92f3577b34da6a3ce929d0e0e4736"
      ])
      const flags = upstream.requests().map((one) => one.headers("traceparent")[0]?.slice(-2))
      assert.deepStrictEqual(flags, ["00", "01"])
    }))
})

/** Many simultaneous calls; returns the statuses of their responses. */
const burst = (call: (body?: string) => Effect.Effect<number>) =>
  Effect.map(
    Effect.all(Array.from({ length: 200 }, () => call(toolCall("t"))), { concurrency: 16 }),
    (statuses) => new Set(statuses)
  )

describe("a collector that is unwell", () => {
  /** Batches of few items, so that there are many of them. */
  const small = { ...quick, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "8", OTEL_BSP_MAX_QUEUE_SIZE: "32" }

  it.live("hangs: requests are not affected, few batches wait, and there is one warning", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      yield* collector.respondWith(() => undefined)
      const { call, close, warnings } = yield* start({
        ...small,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
        OTEL_EXPORTER_OTLP_TIMEOUT: "300"
      })
      assert.deepStrictEqual(yield* burst(call), new Set([200]))
      const traces = () => collector.requests.filter(({ path }) => path === "/v1/traces").length
      yield* eventually(() => warnings().length > 0)
      // The queue has room for four batches of spans, each of which is tried more than once.
      assert.isAtMost(traces(), 8)
      assert.match(warnings()[0] ?? "", /"code":"TIMEOUT"/)
      yield* nothingFor(500)
      assert.strictEqual(warnings().length, 1)
      yield* close
    }), 20_000)

  it.live("rejects connections: requests are not affected, and there is one warning", () =>
    Effect.gen(function*() {
      const { call, warnings } = yield* start({ ...small, OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" })
      assert.deepStrictEqual(yield* burst(call), new Set([200]))
      yield* eventually(() => warnings().length > 0)
      assert.match(warnings()[0] ?? "", /"code":"ECONNREFUSED"/)
      yield* nothingFor(300)
      assert.strictEqual(warnings().length, 1)
    }), 20_000)

  it.live("sends garbage: requests are not affected, and there is one warning", () =>
    Effect.gen(function*() {
      const garbage = yield* Effect.acquireRelease(
        Effect.promise(() =>
          new Promise<ReturnType<typeof createServer>>((resolve) => {
            const server = createServer((socket) => {
              socket.on("error", () => undefined)
              socket.once("data", () => socket.end("\0\xff garbage\r\n\r\n"))
            }).listen(0, "127.0.0.1", () => resolve(server))
          })
        ),
        (server) => Effect.sync(() => server.close())
      )
      const address = garbage.address()
      const port = typeof address === "object" ? address?.port : undefined
      const { call, warnings } = yield* start({ ...small, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
      assert.deepStrictEqual(yield* burst(call), new Set([200]))
      yield* eventually(() => warnings().length > 0)
      assert.match(warnings()[0] ?? "", /"code":"(?:HPE_|HTTPParserError)/)
      assert.strictEqual(warnings().length, 1)
    }), 20_000)

  it.live("rejects: nothing is sent again, and its end is reported with what was lost", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      yield* collector.respondWith((_, response) => void response.writeHead(400).end())
      const { call, recoveries, warnings } = yield* start({
        ...quick,
        // Long enough for all spans of a request.
        OTEL_BSP_SCHEDULE_DELAY: "300",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.origin}/v1/traces`
      })
      yield* call()
      yield* eventually(() => warnings().length > 0)
      assert.match(warnings()[0] ?? "", /"code":"HTTP_400"/)
      yield* nothingFor(100)
      assert.strictEqual(collector.requests.length, 1)
      yield* collector.respondWith((_, response) => void response.writeHead(200).end())
      yield* call()
      yield* eventually(() => recoveries().length > 0)
      assert.match(recoveries()[0] ?? "", /"lost_batches":1/)
      assert.isAbove(collector.spans().length, 0)
    }), 20_000)

  it.live("is overloaded: a batch is sent again after the pause that it asks for", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      let rejections = 1
      yield* collector.respondWith((_, response) => {
        rejections -= 1
        if (rejections >= 0) response.writeHead(503, { "retry-after": "1" }).end("x".repeat(100_000))
        else response.writeHead(200).end("not what a collector says")
      })
      const { call } = yield* start({ ...quick, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.origin}/v1/traces` })
      yield* call(toolCall("again"))
      yield* eventually(() => collector.spans().some(({ name }) => name === "tools/call again"))
      assert.isAtLeast(collector.requests.length, 2)
    }), 20_000)

  it.live("does not keep the gateway from ending", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      yield* collector.respondWith(() => undefined)
      const { call, close } = yield* start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin })
      yield* call()
      const [duration] = yield* Effect.timed(close)
      assert.isBelow(Duration.toMillis(duration), 10_000)
    }), 20_000)
})
