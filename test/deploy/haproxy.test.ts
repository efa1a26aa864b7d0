/** Four replicas behind a real HAProxy with the configuration of `src/deploy`, which are replaced one after the other. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { freePort } from "../../src/node/freePort.ts"
import { eventually } from "../fixtures/eventually.ts"
import { ping } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { startRedis } from "../support/RedisServer.ts"
import * as responses from "../support/upstreamResponses.ts"

const numbers = [1, 2, 3, 4]

/** Starts HAProxy in front of these ports, on a port of its own. */
const startHaproxy = Effect.fnUntraced(function*(ports: ReadonlyArray<number>) {
  const port = yield* freePort(0)
  const variables = Object.fromEntries(
    ports.map((gateway, index) => [`MCP_GATEWAY_${index + 1}`, `127.0.0.1:${gateway}`])
  )
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn("/usr/sbin/haproxy", ["-f", "src/deploy/haproxy.cfg", "-db", "-q"], {
        stdio: "inherit",
        env: { ...variables, MCP_BIND: `127.0.0.1:${port}` }
      })
    ),
    (child) =>
      Effect.promise(async () => {
        const ended = once(child, "exit")
        if (child.exitCode === null && child.kill("SIGKILL")) await ended
      })
  )
  return `http://127.0.0.1:${port}`
})

const makeReplicas = Effect.gen(function*() {
  const redis = yield* startRedis()
  const upstream = yield* makeRecordingUpstream
  const scope = yield* Effect.scope
  const ports = yield* Effect.forEach(numbers, () => freePort(0))
  const started = new Map<number, Scope.Closeable>()

  const start = Effect.fnUntraced(function*(port: number) {
    const own = yield* Scope.fork(scope)
    started.set(port, own)
    yield* Scope.provide(
      startGateway(settings(`${upstream.origin}/mcp`, {
        port,
        bindSessions: true,
        sessionKeys: [Redacted.make("k".repeat(32))],
        storeUrl: redis.url,
        shutdownDelayMillis: 3_000,
        shutdownTimeoutMillis: 10_000
      })),
      own
    )
  })
  /** Stops a replica as SIGTERM does. */
  const stop = (port: number) => Effect.suspend(() => Scope.close(started.get(port) ?? assert.fail(), Exit.void))

  yield* Effect.forEach(ports, start, { discard: true })
  const origin = yield* startHaproxy(ports)
  const send = (body: string, headers: Readonly<Record<string, string>> = {}) =>
    Effect.tryPromise(async () => {
      const response = await fetch(`${origin}/mcp`, {
        method: "POST",
        body,
        headers: {
          authorization: "Bearer dev-token",
          accept: "application/json, text/event-stream",
          "content-type": "application/json",
          ...headers
        }
      })
      await response.text()
      return response
    })
  yield* eventually(Effect.map(Effect.exit(send(ping)), (exit) => Exit.isSuccess(exit) && exit.value.status === 200))
  return { ports, send, start, stop, upstream }
})

layer(Layer.empty, { excludeTestServices: true, timeout: "180 seconds" })("four replicas behind HAProxy", (it) => {
  it.effect("REPL-09 MUST serve a session at each replica, and lose no request while they are replaced one by one", () =>
    Effect.gen(function*() {
      const { ports, send, start, stop, upstream } = yield* makeReplicas
      yield* upstream.respondWith((request, response) => {
        response.setHeader("mcp-session-id", "session-of-the-server")
        return Effect.andThen(Effect.sleep(20), responses.jsonRpc(request, response))
      })
      const opened = yield* send(
        JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "initialize",
          params: {
            protocolVersion: "2025-06-18",
            capabilities: {},
            clientInfo: { name: "test", version: "1" }
          }
        })
      )
      const session = opened.headers.get("mcp-session-id") ?? assert.fail("no session")
      assert.notStrictEqual(session, "session-of-the-server")

      const load = { isOver: false }
      const statuses: Array<number | "failed"> = []
      const client = Effect.gen(function*() {
        while (!load.isOver) {
          const exit = yield* Effect.exit(send(ping, { "mcp-session-id": session }))
          statuses.push(Exit.isSuccess(exit) ? exit.value.status : "failed")
        }
      })
      const clients = yield* Effect.forEach(numbers, () => Effect.forkChild(client))
      for (const port of ports) {
        yield* stop(port)
        yield* start(port)
        // Until HAProxy has found it.
        yield* Effect.sleep(2_500)
      }
      load.isOver = true
      yield* Effect.forEach(clients, Fiber.join)
      const lost = statuses.filter((status) => status !== 200)
      assert.deepStrictEqual(lost, [], `of ${statuses.length}`)
      assert.isAbove(statuses.length, 100)
      // Negative control: the session of another gateway belongs to no caller.
      assert.strictEqual((yield* send(ping, { "mcp-session-id": `${session.slice(0, -1)}~` })).status, 404)
    }))
})
