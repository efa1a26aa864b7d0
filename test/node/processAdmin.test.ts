import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import { ping } from "../fixtures/messages.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { type GatewayProgram, startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { takenPort } from "./support/ports.ts"
import { type ProgramOptions, runProgram } from "./support/Program.ts"

const secret = "0123456789abcdef0123456789abcdef"

interface Got {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  readonly body: string
}

/** Sends a request with exactly these fields. */
const send = (
  origin: string,
  path: string,
  headers: Http.OutgoingHttpHeaders = {},
  method = "GET",
  body?: string
) =>
  Effect.callback<Got>((resume) => {
    const request = Http.request(new URL(path, origin), { method, headers, agent: false }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        resume(Effect.succeed({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString()
        })))
    })
    request.on("error", (error) => resume(Effect.die(error)))
    request.end(body)
  })

const call = (gateway: GatewayProgram, authorization = "Bearer dev-token") =>
  send(gateway.origin, "/mcp", { authorization, "content-type": "application/json" }, "POST", ping)

/** The value of a series in the Prometheus text; 0 if it is missing. */
const valueOf = (text: string, series: string): number =>
  Number(text.split("\n").find((line) => line.startsWith(`${series} `))?.slice(series.length + 1) ?? 0)

const adminOf = (gateway: GatewayProgram) =>
  Effect.map(gateway.awaitOutput(/"admin":"(http:[^"]+)"/), ([, origin = ""]) => origin)

const start = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>, options: ProgramOptions = {}) {
  const upstream = yield* makeRecordingUpstream
  const gateway = yield* startGatewayProgram({
    ...options,
    env: { ...staticSettings(upstream.origin), MCP_ADMIN_PORT: "0", ...env }
  })
  return { gateway, admin: yield* adminOf(gateway) }
})

describe.concurrent("the admin port", { timeout: 120_000 }, () => {
  it.live("ADM-04 MUST show metrics and health on this machine, and nothing to a rebound name or to another site", () =>
    Effect.gen(function*() {
      const { admin, gateway } = yield* start({})
      assert.strictEqual((yield* call(gateway)).status, 200)
      assert.strictEqual((yield* call(gateway, "Bearer wrong")).status, 401)
      const { body, headers, status } = yield* send(admin, "/metrics")
      assert.deepStrictEqual([status, headers["content-type"]], [200, "text/plain; version=0.0.4; charset=utf-8"])
      assert.strictEqual(valueOf(body, "mcp_authorizer_verdict_lookups_total{outcome=\"miss\"}"), 2)
      assert.strictEqual(valueOf(body, "mcp_authorizer_processes"), 1)
      assert.strictEqual(
        valueOf(
          body,
          "mcp_authorizer_requests_total{server=\"default\",method=\"ping\",status=\"200\",reason=\"none\"}"
        ),
        1
      )
      for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"]) {
        assert.isAbove(valueOf(body, name), 0, name)
      }
      assert.match(body, /^nodejs_eventloop_delay_p99_seconds \d/m)
      assert.notInclude(body, "dev-")
      assert.strictEqual(headers["cross-origin-resource-policy"], "same-origin")
      assert.notProperty(headers, "access-control-allow-origin")
      assert.deepStrictEqual((yield* send(admin, "/healthz", { host: "probe.example" })).status, 200)
      assert.strictEqual((yield* send(admin, "/metrics", {}, "HEAD")).body, "")
      assert.strictEqual((yield* send(admin, "/metrics", { host: "evil.example" })).status, 403)
      assert.strictEqual((yield* send(admin, "/metrics", { "sec-fetch-site": "cross-site" })).status, 403)
      const post = yield* send(admin, "/metrics", { origin: "https://evil.example" }, "POST")
      assert.strictEqual(post.status, 403)
      assert.strictEqual((yield* send(admin, "/metrics", {}, "POST")).status, 405)
      assert.strictEqual((yield* send(admin, "/nothing")).status, 404)
      // The gateway's own port does not show them.
      assert.notInclude((yield* send(gateway.origin, "/metrics")).body, "mcp_authorizer_")
      yield* gateway.signal("SIGTERM")
      assert.strictEqual((yield* gateway.ended).code, 0)
    }))

  it.live("ADM-04 MUST NOT change what becomes of a request, and shows which tool it called", () =>
    Effect.gen(function*() {
      const { admin, gateway } = yield* start({})
      const headers = { authorization: "Bearer dev-token", "content-type": "application/json" }
      // An audit log rejects it, because lenient servers could read another name.
      const unclear = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"Name":"b"}}`
      assert.strictEqual((yield* send(gateway.origin, "/mcp", headers, "POST", unclear)).status, 200)
      const named = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet"}}`
      assert.strictEqual((yield* send(gateway.origin, "/mcp", headers, "POST", named)).status, 200)
      const decisions = yield* Effect.repeat(send(admin, "/decisions.json"), {
        until: ({ body }) => body.includes("greet")
      })
      assert.match(decisions.body, /"method":"tools\/call","tool":"greet"/)
    }))

  it.live("ADM-05 MUST ask for MCP_ADMIN_TOKEN, or for a token of a provider with the scopes", () =>
    Effect.gen(function*() {
      const { admin } = yield* start({
        MCP_ADMIN_TOKEN: secret,
        MCP_ADMIN_SCOPES: "gateway:read",
        MCP_STATIC_TOKENS: "dev-token:c:alice:read;operator-token:c:olga:read,gateway:read"
      })
      const withCredential = (authorization: string) => send(admin, "/metrics", { authorization })
      const challenged = yield* send(admin, "/metrics")
      assert.strictEqual(challenged.status, 401)
      assert.match(String(challenged.headers["www-authenticate"]), /^Basic realm=.*Bearer realm=/)
      assert.strictEqual((yield* withCredential(`Bearer ${secret}`)).status, 200)
      assert.strictEqual((yield* withCredential(`Basic ${btoa(`me:${secret}`)}`)).status, 200)
      assert.strictEqual((yield* withCredential("Bearer operator-token")).status, 200)
      assert.strictEqual((yield* withCredential("Bearer dev-token")).status, 403)
      assert.strictEqual((yield* withCredential("Bearer invented")).status, 401)
      // Also where the path does not exist: what there is, is for those that may read.
      assert.strictEqual((yield* send(admin, "/nothing")).status, 401)
      assert.strictEqual((yield* send(admin, "/healthz")).status, 200)
    }))

  it.live("ADM-06 MUST be rejected at start where anyone could read it, or where the port is taken", () =>
    Effect.gen(function*() {
      const wide = yield* runProgram({
        env: { ...staticSettings("http://127.0.0.1:9"), PORT: "0", MCP_ADMIN_PORT: "9464", MCP_ADMIN_HOST: "0.0.0.0" }
      })
      assert.strictEqual(wide.code, 1)
      assert.match(wide.stderr, /MCP_ADMIN_HOST: is an address that other machines reach[^]*MCP_ADMIN_TOKEN/)
      const port = yield* takenPort
      for (const MCP_WORKERS of ["1", "2"]) {
        const taken = yield* runProgram({
          env: { ...staticSettings("http://127.0.0.1:9"), PORT: "0", MCP_ADMIN_PORT: String(port), MCP_WORKERS }
        })
        assert.strictEqual(taken.code, 1)
        assert.match(taken.stderr, /MCP_ADMIN_PORT: cannot be listened on.*EADDRINUSE/)
        assert.notInclude(taken.stderr, "    at ")
      }
    }))

  it.live("ADM-07 MUST add up all workers, and MUST NOT let a counter fall when one dies", () =>
    Effect.gen(function*() {
      const { admin, gateway } = yield* start({}, { args: ["--workers", "2"] })
      yield* gateway.awaitOutput(/(?:"worker ready"[^]*\n[^]*){2}/)
      const lookups = Effect.map(
        send(admin, "/metrics"),
        ({ body }) =>
          valueOf(body, "mcp_authorizer_verdict_lookups_total{outcome=\"hit\"}") +
          valueOf(body, "mcp_authorizer_verdict_lookups_total{outcome=\"miss\"}")
      )
      yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => call(gateway))
      assert.strictEqual(yield* lookups, 6)
      // The primary, and two workers.
      assert.strictEqual(valueOf((yield* send(admin, "/metrics")).body, "mcp_authorizer_processes"), 3)
      const first = gateway.log().find(({ message }) => message === "worker ready")
      process.kill(Number(first?.annotations["pid"]), "SIGKILL")
      yield* gateway.awaitOutput(/"worker ended"/)
      assert.strictEqual(yield* lookups, 6)
      yield* gateway.awaitOutput(/(?:"worker ready"[^]*\n[^]*){3}/)
      yield* Effect.forEach([1, 2, 3, 4], () => call(gateway))
      assert.strictEqual(yield* lookups, 10)
      yield* gateway.signal("SIGTERM")
      assert.strictEqual((yield* gateway.ended).code, 0)
    }))

  it.live("ADM-08 MUST leave out a worker that hangs, and keep what it had counted", () =>
    Effect.gen(function*() {
      const { admin, gateway } = yield* start({}, { args: ["--workers", "2"] })
      yield* gateway.awaitOutput(/(?:"worker ready"[^]*\n[^]*){2}/)
      yield* Effect.forEach([1, 2, 3, 4], () => call(gateway))
      const total = Effect.map(send(admin, "/metrics"), ({ body }) =>
        valueOf(body, "mcp_authorizer_verdict_lookups_total{outcome=\"hit\"}") +
        valueOf(body, "mcp_authorizer_verdict_lookups_total{outcome=\"miss\"}"))
      assert.strictEqual(yield* total, 4)
      const first = gateway.log().find(({ message }) =>
        message === "worker ready"
      )
      const pid = Number(first?.annotations["pid"])
      process.kill(pid, "SIGSTOP")
      assert.strictEqual(yield* total, 4)
      process.kill(pid, "SIGCONT")
      assert.strictEqual(yield* total, 4)
    }))
})
