import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { describeTelemetry } from "../../../src/node/telemetry/describeTelemetry.ts"
import { readTelemetry } from "../../../src/node/telemetry/readTelemetry.ts"
import type { Telemetry } from "../../../src/node/telemetry/Telemetry.ts"

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector.example:4318" }

const read = (environment: Readonly<Record<string, string>>) => Result.getOrThrow(readTelemetry(environment))

const telemetry = (environment: Readonly<Record<string, string>>): Telemetry =>
  read({ ...endpoint, ...environment }).telemetry ?? assert.fail("nothing is exported")

const problems = (environment: Readonly<Record<string, string>>) => {
  const result = readTelemetry({ ...endpoint, ...environment })
  return Result.isFailure(result) ? result.failure.map(({ problem, setting }) => `${setting} ${problem}`) : []
}

const resource = (environment: Readonly<Record<string, string>>) => {
  const { attributes, serviceName } = telemetry(environment)
  return [serviceName, attributes]
}

const urls = (environment: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(read(environment).telemetry?.exports ?? {}).map(([signal, target]) => [signal, target?.url])
  )

describe("the variables of OpenTelemetry", () => {
  it("export nothing without an endpoint, an empty one, or when switched off", () => {
    for (
      const environment of [
        {},
        { OTEL_EXPORTER_OTLP_ENDPOINT: "  " },
        { OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER: "always_on", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
        { ...endpoint, OTEL_SDK_DISABLED: "TRUE" },
        { ...endpoint, OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" }
      ]
    ) {
      assert.deepStrictEqual(read(environment), { telemetry: undefined, warnings: [] })
    }
    assert.isDefined(read({ ...endpoint, OTEL_SDK_DISABLED: "no" }).telemetry)
  })

  it("have a base for all signals, and a whole URL for each", () => {
    assert.deepStrictEqual(urls(endpoint), {
      traces: "http://collector.example:4318/v1/traces",
      metrics: "http://collector.example:4318/v1/metrics",
      logs: "http://collector.example:4318/v1/logs"
    })
    assert.deepStrictEqual(
      urls({ OTEL_EXPORTER_OTLP_ENDPOINT: "https://c.example/otlp/?key=1", OTEL_METRICS_EXPORTER: "none" }),
      { traces: "https://c.example/otlp/v1/traces?key=1", logs: "https://c.example/otlp/v1/logs?key=1" }
    )
    assert.deepStrictEqual(
      urls({ ...endpoint, OTEL_LOGS_EXPORTER: "none", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://t.example/in" }),
      { traces: "https://t.example/in", metrics: "http://collector.example:4318/v1/metrics" }
    )
    assert.deepStrictEqual(urls({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "https://l.example" }), {
      logs: "https://l.example/"
    })
    assert.deepStrictEqual(urls({ OTEL_TRACES_EXPORTER: "otlp" }), { traces: "http://localhost:4318/v1/traces" })
  })

  it("have the defaults of OpenTelemetry", () => {
    const { exports: { traces }, ...rest } = telemetry({})
    assert.deepStrictEqual(traces, {
      url: "http://collector.example:4318/v1/traces",
      headers: {},
      protocol: "http/protobuf",
      compression: "none",
      timeoutMillis: 10_000,
      certificate: undefined,
      clientCertificate: undefined,
      clientKey: undefined
    })
    assert.deepStrictEqual(rest, {
      spans: { delayMillis: 5_000, maxBatch: 512, maxQueue: 2048 },
      logs: { delayMillis: 1_000, maxBatch: 512, maxQueue: 2048 },
      metricIntervalMillis: 60_000,
      temporality: "cumulative",
      sampler: { isParentBased: true, ratio: 1 },
      propagates: true,
      serviceName: "mcp-authorizer",
      attributes: {}
    })
  })

  it("take precedence for one signal over those for all", () => {
    const { exports } = telemetry({
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20s3cret,X-Team=a%2Cb",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-only=traces",
      OTEL_EXPORTER_OTLP_TIMEOUT: "2000",
      OTEL_EXPORTER_OTLP_LOGS_TIMEOUT: "500",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: "http/protobuf",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_LOGS_COMPRESSION: "none"
    })
    const shown = Object.entries(exports).map(([signal, target]) => [
      signal,
      target?.headers,
      target?.timeoutMillis,
      target?.protocol,
      target?.compression
    ])
    const all = { authorization: "Bearer s3cret", "x-team": "a,b" }
    assert.deepStrictEqual(shown, [
      ["traces", { "x-only": "traces" }, 2000, "http/json", "gzip"],
      ["metrics", all, 2000, "http/protobuf", "gzip"],
      ["logs", all, 500, "http/json", "none"]
    ])
  })

  it("choose samplers and propagators", () => {
    const sampler = (OTEL_TRACES_SAMPLER: string, OTEL_TRACES_SAMPLER_ARG = "") =>
      telemetry({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }).sampler
    assert.deepStrictEqual(sampler("always_on"), { isParentBased: false, ratio: 1 })
    assert.deepStrictEqual(sampler("always_off", "0.5"), { isParentBased: false, ratio: 0 })
    assert.deepStrictEqual(sampler("traceidratio", "0.25"), { isParentBased: false, ratio: 0.25 })
    assert.deepStrictEqual(sampler("parentbased_always_off"), { isParentBased: true, ratio: 0 })
    assert.deepStrictEqual(sampler("parentbased_traceidratio", "1e-3"), { isParentBased: true, ratio: 0.001 })
    assert.deepStrictEqual(sampler("parentbased_traceidratio"), { isParentBased: true, ratio: 1 })
    assert.isFalse(telemetry({ OTEL_PROPAGATORS: "none" }).propagates)
    assert.isFalse(telemetry({ OTEL_PROPAGATORS: "baggage" }).propagates)
    assert.isTrue(telemetry({ OTEL_PROPAGATORS: "baggage, TraceContext" }).propagates)
  })

  it("describe the resource, the name of the service by its own variable first", () => {
    const attributes = { OTEL_RESOURCE_ATTRIBUTES: "service.name=gate, deployment.environment.name=a%20b ,team=" }
    const others = { "deployment.environment.name": "a b", team: "" }
    assert.deepStrictEqual(resource(attributes), ["gate", others])
    assert.deepStrictEqual(resource({ ...attributes, OTEL_SERVICE_NAME: "door" }), ["door", others])
  })

  const invalid: ReadonlyArray<readonly [Readonly<Record<string, string>>, string]> = [
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }, "OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL"],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "ftp://s3cret.example" },
      "OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL"
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "https://me:s3cret@c.example" },
      "OTEL_EXPORTER_OTLP_ENDPOINT has credentials in the URL"
    ],
    [{ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "/v1/logs" }, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT is not an http or https URL"],
    [{ OTEL_EXPORTER_OTLP_HEADERS: "s3cret" }, "OTEL_EXPORTER_OTLP_HEADERS is not a list of header fields"],
    [{ OTEL_EXPORTER_OTLP_HEADERS: "a b=s3cret" }, "OTEL_EXPORTER_OTLP_HEADERS is not a list of header fields"],
    [{ OTEL_EXPORTER_OTLP_HEADERS: "a=s3cret%0d%0ab: c" }, "OTEL_EXPORTER_OTLP_HEADERS is not a list of header fields"],
    [{ OTEL_EXPORTER_OTLP_HEADERS: "a=%zz" }, "OTEL_EXPORTER_OTLP_HEADERS is not a list of header fields"],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, "OTEL_EXPORTER_OTLP_PROTOCOL is grpc, which is not supported"],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: "http" }, "OTEL_EXPORTER_OTLP_PROTOCOL is not a protocol of OTLP over HTTP"],
    [
      { OTEL_EXPORTER_OTLP_TIMEOUT: "10s" },
      "OTEL_EXPORTER_OTLP_TIMEOUT is not a number of milliseconds from 1 to 2147483647"
    ],
    [{ OTEL_BSP_MAX_QUEUE_SIZE: "0" }, "OTEL_BSP_MAX_QUEUE_SIZE is not a number from 1 to 1000000"],
    [
      { OTEL_METRIC_EXPORT_INTERVAL: "5" },
      "OTEL_METRIC_EXPORT_INTERVAL is not a number of milliseconds from 100 to 2147483647"
    ],
    [
      { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "10%" },
      "OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1"
    ],
    [
      { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "1.5" },
      "OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1"
    ],
    [{ OTEL_RESOURCE_ATTRIBUTES: "team" }, "OTEL_RESOURCE_ATTRIBUTES is not a list of attributes"],
    [
      { OTEL_EXPORTER_OTLP_CLIENT_KEY: "/key.pem" },
      "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE needs OTEL_EXPORTER_OTLP_CLIENT_KEY, and the other way around"
    ]
  ]
  for (const [environment, problem] of invalid) {
    it(`are a problem: ${problem} (${Object.values(environment).join(", ")})`, () => {
      assert.deepStrictEqual(problems(environment), [problem])
      assert.notInclude(JSON.stringify(readTelemetry({ ...endpoint, ...environment })), "s3cret")
    })
  }

  it("are a warning where the rest can be followed, or where a name is misspelt", () => {
    const warning = (environment: Readonly<Record<string, string>>) =>
      read({ ...endpoint, ...environment }).warnings.join()
    assert.match(warning({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c.example:4317" }), /4317|gRPC/)
    assert.match(warning({ OTEL_EXPORTER_OTLP_COMPRESSION: "zstd" }), /OTEL_EXPORTER_OTLP_COMPRESSION .*gzip or none/)
    assert.match(warning({ OTEL_TRACES_EXPORTER: "otlp,zipkin" }), /OTEL_TRACES_EXPORTER .*otlp or none/)
    assert.match(warning({ OTEL_TRACES_SAMPLER: "jaeger_remote" }), /OTEL_TRACES_SAMPLER .*always_on/)
    assert.match(warning({ OTEL_PROPAGATORS: "tracecontext,b3" }), /OTEL_PROPAGATORS .*tracecontext, baggage or none/)
    assert.match(warning({ OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "x" }), /cumulative, delta or lowmemory/)
    assert.match(warning({ OTEL_EXPORTER_OTLP_HEADER: "a=b" }), /Did you mean OTEL_EXPORTER_OTLP_HEADERS\?/)
    assert.match(
      read({ OTEL_EXPORTER_OTLP_ENDPIONT: "x" }).warnings.join(),
      /Did you mean OTEL_EXPORTER_OTLP_ENDPOINT\?/
    )
    for (
      const name of [
        "OTEL_NODE_RESOURCE_DETECTORS",
        "OTEL_LOG_LEVEL",
        "OTEL_BSP_EXPORT_TIMEOUT",
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "OTEL_METRICS_EXEMPLAR_FILTER",
        "OTEL_EXPORTER_OTLP_INSECURE",
        "OTEL_ATTRIBUTE_COUNT_LIMIT",
        "OTEL_SERVICE_VERSION"
      ]
    ) {
      assert.strictEqual(warning({ [name]: "1" }), "", name)
    }
  })

  it("are shown without the values of header fields and without queries", () => {
    const shown = describeTelemetry(telemetry({
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://c.example?key=s3cret",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=s3cret",
      OTEL_LOGS_EXPORTER: "none"
    }))
    assert.notInclude(JSON.stringify(shown), "s3cret")
    assert.deepInclude(shown, { service_name: "mcp-authorizer", logs: "off" })
    assert.deepInclude(shown["traces"], {
      endpoint: "https://c.example/v1/traces",
      headers: { authorization: "(hidden)" },
      sampled_share: 1
    })
  })
})
