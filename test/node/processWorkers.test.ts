import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { unlink, writeFile } from "node:fs/promises"
import { ping } from "../fixtures/messages.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { hang, jsonRpc, respond } from "../support/upstreamResponses.ts"
import { awaitRefused, openConnection } from "./support/connection.ts"
import { type GatewayProgram, type LogLine, startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { takenPort } from "./support/ports.ts"
import { type ProgramOptions, runProgram } from "./support/Program.ts"
import { temporaryFile } from "./support/scratch.ts"

/** A request on a connection of its own. */
const bytes = (traceId: string) =>
  [
    "POST /mcp HTTP/1.1",
    "Host: 127.0.0.1",
    "Authorization: Bearer dev-token",
    "Content-Type: application/json",
    `Content-Length: ${ping.length}`,
    `X-Trace-Id: ${traceId}`,
    "Connection: close",
    "",
    ping
  ].join("\r\n")

/** Sends a request on a new connection, which must get a response. */
const exchange = Effect.fnUntraced(function*(gateway: GatewayProgram, traceId: string) {
  const connection = yield* Effect.orDie(openConnection(gateway.origin))
  yield* connection.write(bytes(traceId))
  yield* connection.closed
  assert.match(connection.received(), /^HTTP\/1\.1 200 /)
}, Effect.scoped)

/** Does the same, and returns the worker that responded. */
const ask = (gateway: GatewayProgram, traceId: string) =>
  Effect.andThen(exchange(gateway, traceId), Effect.map(gateway.requestLine(traceId), ({ worker }) => worker))

/** Begins two requests, one at each of two workers. */
const openRequests = (gateway: GatewayProgram) =>
  Effect.forEach(["one", "two"], (name) =>
    Effect.gen(function*() {
      const connection = yield* Effect.orDie(openConnection(gateway.origin))
      yield* connection.write(bytes(name))
      return connection
    }))

const said = (gateway: GatewayProgram, message: string): ReadonlyArray<LogLine["annotations"]> =>
  gateway.log().filter((line) => line.message === message).map(({ annotations }) => annotations)

/** Waits until this number of workers has been ready in total; returns the log line of each, in that order. */
const awaitReady = (gateway: GatewayProgram, count: number) =>
  Effect.map(
    gateway.awaitOutput(new RegExp(`(?:"worker ready"[^]*\\n[^]*){${count}}`)),
    () => said(gateway, "worker ready")
  )

const startWorkers = Effect.fnUntraced(function*(workers: number, { env, ...options }: ProgramOptions = {}) {
  const upstream = yield* makeRecordingUpstream
  const gateway = yield* startGatewayProgram({
    args: ["--workers", String(workers)],
    env: { ...staticSettings(upstream.origin), ...env },
    ...options
  })
  return { upstream, gateway, ready: yield* awaitReady(gateway, workers) }
})

const kill = ({ pid }: LogLine["annotations"], signal: NodeJS.Signals = "SIGKILL") =>
  Effect.sync(() => process.kill(Number(pid), signal))

const endsWell = Effect.fnUntraced(function*(gateway: GatewayProgram) {
  const { code, signal, stderr } = yield* gateway.ended
  assert.deepStrictEqual([code, signal, stderr], [0, null, ""])
})

describe.concurrent("several workers", { timeout: 180_000 }, () => {
  it.live("OPS-10 MUST share one port, log at start what one process logs, and name themselves in the log", () =>
    Effect.gen(function*() {
      const { gateway, ready } = yield* startWorkers(2)
      assert.notStrictEqual(new URL(gateway.origin).port, "0")
      assert.deepStrictEqual(ready.map(({ worker }) => worker).toSorted(), [1, 2])
      assert.notStrictEqual(ready[0]?.["pid"], ready[1]?.["pid"])
      const [listening, ...more] = said(gateway, "listening")
      assert.deepStrictEqual([listening?.["url"], listening?.["workers"], more], [gateway.origin, 2, []])
      assert.lengthOf(gateway.log().filter(({ level }) => level === "WARN"), 1)

      const responders = yield* Effect.forEach([1, 2, 3, 4], (n) => ask(gateway, `request-${n}`))
      assert.deepStrictEqual(responders.toSorted(), [1, 1, 2, 2])
      yield* gateway.signal("SIGTERM")
      yield* endsWell(gateway)
    }))

  it.live("OPS-10 MCP-07 MUST let a caller's session go on at every worker, and no other caller's", () =>
    Effect.gen(function*() {
      for (const key of [{}, { MCP_SESSION_KEY: "the-key-of-all-replicas-000000000000" }]) {
        const { gateway, upstream } = yield* startWorkers(2, {
          env: { ...key, MCP_STATIC_TOKENS: "dev-token:c:alice:;alice-again:c:alice:;mallory-token:c:mallory:" }
        })
        yield* upstream.respondWith(
          respond({ headers: { "content-type": "application/json", "mcp-session-id": "own" }, body: "{}" })
        )
        const send = Effect.fnUntraced(function*(bearer: string, session: string) {
          const connection = yield* Effect.orDie(openConnection(gateway.origin))
          const [line = "", ...rest] = bytes(`${bearer}-${session.length}`).split("\r\n")
          const lines = [line, ...(session === "" ? [] : [`Mcp-Session-Id: ${session}`]), ...rest]
          yield* connection.write(lines.join("\r\n").replace("Bearer dev-token", `Bearer ${bearer}`))
          yield* connection.closed
          const text = connection.received()
          return { status: text.slice(9, 12), session: /^mcp-session-id: (\S+)\r$/im.exec(text)?.[1] ?? "" }
        }, Effect.scoped)
        const { session } = yield* send("dev-token", "")
        assert.include(session, ".own")
        const turns = [1, 2, 3, 4]
        const own = yield* Effect.forEach(turns, () => send("alice-again", session))
        assert.deepStrictEqual(own.map(({ status }) => status), ["200", "200", "200", "200"])
        const before = upstream.requests().length
        for (const [bearer, id] of [["mallory-token", session], ["dev-token", "own"]] as const) {
          const rejected = yield* Effect.forEach(turns, () => send(bearer, id))
          assert.deepStrictEqual(rejected.map(({ status }) => status), ["404", "404", "404", "404"], bearer)
        }
        assert.lengthOf(upstream.requests(), before)
        yield* gateway.signal("SIGTERM")
        yield* endsWell(gateway)
      }
    }))

  it.live("OPS-11 MUST run one worker, however it is configured, as one process", () =>
    Effect.gen(function*() {
      const gateway = yield* startGatewayProgram({
        args: ["--workers", "1"],
        env: { ...staticSettings("http://127.0.0.1:9"), MCP_WORKERS: "8" }
      })
      const [listening] = said(gateway, "listening")
      assert.notProperty(listening, "workers")
      yield* gateway.signal("SIGTERM")
      yield* endsWell(gateway)
      assert.isEmpty(said(gateway, "worker ready"))
    }))

  it.live("OPS-12 MUST reject a bad configuration in the same words, and a taken port, without starting", () =>
    Effect.gen(function*() {
      const port = yield* takenPort
      for (
        const env of [
          { PORT: "http", MCP_JWT_ISSUR: "x" },
          { ...staticSettings("http://127.0.0.1:9"), PORT: String(port) }
        ]
      ) {
        const [one, two] = yield* Effect.all([
          runProgram({ env }),
          runProgram({ args: ["--workers", "2"], env })
        ])
        assert.notStrictEqual(one.stderr, "")
        assert.deepStrictEqual(two, one)
        assert.deepStrictEqual([two.code, two.stdout], [1, ""])
      }
      const { code, stderr } = yield* runProgram({ args: ["--workers", "many"] })
      assert.strictEqual(code, 1)
      assert.include(stderr, "MCP_WORKERS (given as --workers): is neither a whole number from 1 to 1024 nor `auto`.")
    }))

  it.live("OPS-13 MUST replace a worker that is killed, without losing a request", () =>
    Effect.gen(function*() {
      const { gateway, ready: [, second = {}] } = yield* startWorkers(2)
      yield* kill(second)
      yield* gateway.awaitOutput(/"worker ended".*\n/)
      assert.deepInclude(said(gateway, "worker ended")[0], {
        worker: second["worker"],
        pid: second["pid"],
        reason: "SIGKILL",
        replaced_in_ms: 100
      })
      // While the new one begins, and when it has begun.
      let asked = 0
      while (said(gateway, "worker ready").length < 3) yield* ask(gateway, `before-${asked++}`)
      const responders = yield* Effect.forEach(Array.from({ length: 20 }), (_, n) => ask(gateway, `after-${n}`))
      assert.deepStrictEqual([...new Set(responders)].toSorted(), [1, 2])
      const third = said(gateway, "worker ready")[2]
      assert.strictEqual(third?.["worker"], second["worker"])
      assert.notStrictEqual(third?.["pid"], second["pid"])
      yield* gateway.signal("SIGTERM")
      yield* endsWell(gateway)
    }))

  it.live("closes the connection that was on its way to a worker when it died, and serves the others", () =>
    Effect.gen(function*() {
      const { gateway, ready: [one = {}] } = yield* startWorkers(2)
      // A worker that is stopped accepts no connections, and Node passes it one nevertheless.
      yield* kill(one, "SIGSTOP")
      const connections = yield* Effect.forEach(["a", "b"], (traceId) =>
        Effect.gen(function*() {
          const connection = yield* Effect.orDie(openConnection(gateway.origin))
          yield* connection.write(bytes(traceId))
          return connection
        }))
      yield* gateway.requestLine("b").pipe(Effect.race(gateway.requestLine("a")))
      yield* kill(one)
      yield* Effect.forEach(connections, ({ closed }) => closed)
      const responses = connections.map((connection) => connection.received().slice(0, 12)).toSorted()
      assert.deepStrictEqual(responses, ["", "HTTP/1.1 200"])
      yield* awaitReady(gateway, 3)
      yield* Effect.forEach(["c", "d"], (traceId) => exchange(gateway, traceId))
      yield* gateway.signal("SIGTERM")
      yield* endsWell(gateway)
    }))

  it.live("OPS-14 MUST come back on the same port with the same configuration when all workers are killed", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const document = (token: string) =>
        JSON.stringify({
          server_url: upstream.origin,
          workers: 2,
          providers: [{ type: "static", tokens: `${token}:client:user:read` }]
        })
      const file = yield* temporaryFile("gateway.json", document("dev-token"))
      const variables = yield* temporaryFile(".env", "MCP_LOG_LEVEL=debug\n")
      const gateway = yield* startGatewayProgram({ nodeArgs: ["--env-file", variables], args: ["--config", file] })
      const ready = yield* awaitReady(gateway, 2)
      yield* Effect.promise(() => Promise.all([writeFile(file, "no longer JSON"), unlink(variables)]))
      yield* Effect.forEach(ready, (worker) => kill(worker))
      yield* awaitReady(gateway, 4)
      const responders = yield* Effect.forEach([1, 2], (n) => ask(gateway, `request-${n}`))
      assert.deepStrictEqual(responders.toSorted(), [1, 2])
      assert.lengthOf(said(gateway, "listening"), 1)
    }))

  it.live("OPS-15 MUST let open requests of all workers end after SIGTERM, and take no new ones", () =>
    Effect.gen(function*() {
      const { gateway, upstream } = yield* startWorkers(2, { env: { MCP_SHUTDOWN_TIMEOUT: "600" } })
      const release = yield* Deferred.make<void>()
      yield* upstream.respondWith((request, response) =>
        Effect.andThen(Deferred.await(release), jsonRpc(request, response))
      )
      const connections = yield* openRequests(gateway)
      yield* upstream.awaitRequest(2)
      yield* gateway.signal("SIGTERM")
      yield* awaitRefused(gateway.origin)
      // A second signal changes nothing.
      yield* gateway.signal("SIGTERM")
      yield* gateway.signal("SIGINT")
      assert.isFalse(gateway.hasEnded())
      yield* Deferred.succeed(release, undefined)
      for (const connection of connections) {
        yield* connection.closed
        assert.include(connection.received(), `{"jsonrpc":"2.0","id":1,"result":{}}`)
      }
      yield* endsWell(gateway)
      const workers = yield* Effect.forEach(["one", "two"], (name) => gateway.requestLine(name))
      assert.deepStrictEqual(workers.map(({ worker }) => worker).toSorted(), [1, 2])
    }))

  it.live("OPS-16 MUST cut what is left after MCP_SHUTDOWN_TIMEOUT, and kill a worker that is stuck", () =>
    Effect.gen(function*() {
      const { gateway, ready: [first = {}], upstream } = yield* startWorkers(2, { env: { MCP_SHUTDOWN_TIMEOUT: "0" } })
      yield* upstream.respondWith(hang)
      const connections = yield* openRequests(gateway)
      yield* upstream.awaitRequest(2)
      yield* kill(first, "SIGSTOP")
      yield* gateway.signal("SIGTERM")
      for (const connection of connections) yield* connection.closed
      yield* endsWell(gateway)
      const stuck = said(gateway, "worker does not stop")
      assert.deepStrictEqual(stuck.map(({ pid, worker }) => [pid, worker]), [[first["pid"], first["worker"]]])
    }))

  it.live("OPS-17 MUST end its workers when it ends, even when it is killed", () =>
    Effect.gen(function*() {
      const { gateway } = yield* startWorkers(2)
      yield* gateway.signal("SIGKILL")
      // The workers hold the same standard output: it ends with the last of them.
      const { signal } = yield* gateway.ended
      assert.strictEqual(signal, "SIGKILL")
    }))

  it.live("OPS-18 MUST kill a worker that responds to nothing for half a minute, and replace it", () =>
    Effect.gen(function*() {
      const { gateway, ready: [, second = {}] } = yield* startWorkers(2)
      yield* kill(second, "SIGSTOP")
      yield* awaitReady(gateway, 3)
      assert.deepStrictEqual(said(gateway, "worker does not respond").map(({ pid }) => pid), [second["pid"]])
      assert.deepStrictEqual(said(gateway, "worker ended").map(({ reason }) => reason), ["SIGKILL"])
      const responders = yield* Effect.forEach([1, 2, 3, 4], (n) => ask(gateway, `request-${n}`))
      assert.deepStrictEqual(responders.toSorted(), [1, 1, 2, 2])
    }))

  it.live("OPS-19 MUST keep the lines of an entry together in the readable log", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const gateway = yield* startGatewayProgram({
        args: ["--workers", "2"],
        env: { ...staticSettings(upstream.origin), MCP_LOG_FORMAT: "pretty" }
      })
      yield* gateway.awaitOutput(/(?:worker ready\n[^]*){2}/)
      const count = 100
      yield* Effect.forEach(Array.from({ length: count }), (_, n) => exchange(gateway, `request-${n}`), {
        concurrency: 20
      })
      yield* gateway.signal("SIGTERM")
      yield* endsWell(gateway)
      const entries = gateway.stdout().match(/^\[.*: request\n(?: {2}.*\n)*/gm) ?? []
      assert.lengthOf(entries, count)
      for (const entry of entries) {
        const names = [...entry.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name)
        assert.deepStrictEqual(
          names.toSorted(),
          [
            "client",
            "client_address",
            "duration_ms",
            "http_method",
            "path",
            "provider",
            "status",
            "subject",
            "trace_id",
            "worker"
          ]
        )
      }
    }))
})
