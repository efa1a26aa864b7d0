/** The program exports according to OpenTelemetry's variables: alone, with workers, and at its end. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { eventually } from "../fixtures/eventually.ts"
import { toolCall } from "../fixtures/messages.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { type ProgramOptions, runProgram } from "./support/Program.ts"
import { temporaryFile } from "./support/scratch.ts"
import { makeCollectorServer } from "./telemetry/OtlpCollector.ts"

const call = (origin: string, tool: string) =>
  Effect.promise(async () => {
    const response = await fetch(`${origin}/mcp`, {
      method: "POST",
      // A connection of its own, so that workers take turns.
      headers: { authorization: "Bearer dev-token", "content-type": "application/json", connection: "close" },
      body: toolCall(tool)
    })
    await response.text()
    assert.strictEqual(response.status, 200)
  })

const startWith = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>, options: ProgramOptions = {}) {
  const upstream = yield* makeRecordingUpstream
  return yield* startGatewayProgram({ ...options, env: { ...staticSettings(upstream.origin), ...env } })
})

describe.concurrent("telemetry of the program", { timeout: 120_000 }, () => {
  it.live("arrives when the program is told to stop, and the log has the ids of its spans", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      const gateway = yield* startWith({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
        OTEL_SERVICE_NAME: "door"
      })
      yield* call(gateway.origin, "t-1")
      yield* eventually(() => gateway.log().some(({ message }) => message === "request"))
      const line = gateway.log().find(({ message }) => message === "request")?.annotations ?? {}
      yield* gateway.signal("SIGTERM")
      const { code, stderr } = yield* gateway.ended
      assert.deepStrictEqual([code, stderr], [0, ""])

      const server = collector.spans().find(({ name }) => name === "tools/call t-1")
      assert.deepStrictEqual([line["trace_id"], line["span_id"]], [server?.traceId, server?.spanId])
      assert.strictEqual(server?.resource["service.name"], "door")
      assert.isTrue(collector.logs().some(({ body }) => body === "listening"))
      const entry = collector.logs().find(({ body }) => body === "request")
      assert.deepStrictEqual([entry?.traceId, entry?.spanId], [server?.traceId, server?.spanId])
      assert.isTrue(collector.metrics().some(({ name }) => name.startsWith("mcp_authorizer.")))
      for (const { bytes } of collector.requests) assert.notInclude(bytes.toString("latin1"), "dev-token")
    }))

  it.live("goes on after a reload", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      const file = yield* temporaryFile("config.json", "{\"scopes_supported\":[\"read\"]}")
      const gateway = yield* startWith({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin, MCP_CONFIG_FILE: file })
      yield* Effect.promise(() => writeFile(file, "{\"scopes_supported\":[\"read\",\"write\"]}"))
      yield* gateway.signal("SIGHUP")
      yield* eventually(() => gateway.log().some(({ annotations }) => annotations["generation"] === 2))
      yield* call(gateway.origin, "after")
      yield* gateway.signal("SIGTERM")
      yield* gateway.ended
      const server = collector.spans().find(({ name }) => name === "tools/call after")
      assert.isTrue(collector.spans().some(({ parentSpanId }) => parentSpanId === server?.spanId))
      assert.isTrue(collector.logs().some(({ spanId }) => spanId === server?.spanId))
    }))

  it.live("comes from each worker with an id of its own", () =>
    Effect.gen(function*() {
      const collector = yield* makeCollectorServer
      const gateway = yield* startWith({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_BSP_SCHEDULE_DELAY: "50"
      }, { args: ["--workers", "2"] })
      yield* gateway.awaitOutput(/(?:"worker ready"[^]*\n[^]*){2}/)
      const calls = () => collector.spans().filter(({ kind }) => kind === 2)
      const ids = () => new Set(calls().map(({ resource }) => resource["service.instance.id"]))
      yield* Effect.gen(function*() {
        while (ids().size < 2) yield* call(gateway.origin, "t")
      })
      assert.strictEqual(new Set(calls().map(({ resource }) => resource["process.pid"])).size, 2)
      yield* gateway.signal("SIGTERM")
      assert.strictEqual((yield* gateway.ended).code, 0)
      // The primary exports what it logs itself, and nothing else.
      const primary = collector.logs().find(({ body }) => body === "listening")?.resource["service.instance.id"]
      assert.isDefined(primary)
      assert.isFalse(ids().has(primary))
      assert.isFalse(collector.metrics().some(({ resource }) => resource["service.instance.id"] === primary))
    }))

  it.live("does not start with a value that cannot be followed, and says how to fix it", () =>
    Effect.gen(function*() {
      const { code, stderr } = yield* runProgram({
        env: {
          ...staticSettings("http://127.0.0.1:9/mcp"),
          OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317",
          OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
          OTEL_EXPORTER_OTLP_CERTIFICATE: "/nowhere/ca.pem"
        }
      })
      assert.strictEqual(code, 1)
      assert.include(stderr, "OTEL_EXPORTER_OTLP_PROTOCOL: is grpc, which is not supported. Set it to http/protobuf")
    }))

  it.live("is shown by --check without secrets, with warnings", () =>
    Effect.gen(function*() {
      const env = {
        ...staticSettings("http://127.0.0.1:9/mcp"),
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318",
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20c4n4ry",
        OTEL_TRACES_SAMPLER: "xray"
      }
      const { code, stderr, stdout } = yield* runProgram({ args: ["--check"], env })
      assert.strictEqual(code, 0)
      assert.notInclude(stdout + stderr, "c4n4ry")
      assert.strictEqual(JSON.parse(stdout).telemetry.traces.endpoint, "http://127.0.0.1:4318/v1/traces")
      assert.include(stderr, "warning: OTEL_TRACES_SAMPLER is a sampler that is not supported.")
      const missing = yield* runProgram({
        args: ["--check"],
        env: { ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: "/nowhere/ca.pem" }
      })
      assert.strictEqual(missing.code, 1)
      assert.include(missing.stderr, "OTEL_EXPORTER_OTLP_CERTIFICATE: cannot be read, or is not in PEM.")
    }))
})
