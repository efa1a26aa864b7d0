import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { eventually } from "../fixtures/eventually.ts"
import { ping } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { openConnection } from "../node/support/connection.ts"
import { startGatewayProgram, staticSettings } from "../node/support/GatewayProgram.ts"
import { forwardSocket } from "../node/support/ports.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"
import { makeEventStream } from "../support/eventStream.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

const portOf = (origin: string) => Number(new URL(origin).port)

const urlOf = (socket: string, path: string) => `http+unix://${encodeURIComponent(socket)}${path}`

/** A gateway whose MCP server is behind a Unix socket, which is yet to appear. */
const start = Effect.fnUntraced(function*(path: string) {
  const socket = join(yield* temporaryDirectory, "mcp server: 1.sock")
  const fixture = yield* GatewayFixture.over(() =>
    Effect.succeed({ settings: settings(urlOf(socket, path)), token: "dev-token" })
  )
  return { ...fixture, socket, appear: forwardSocket(socket, portOf(fixture.upstream.origin)) }
})

describe("an MCP server behind a Unix socket", () => {
  it.live("FWD-30 MUST get the request like one behind a port, with localhost as its host", () =>
    Effect.gen(function*() {
      const { appear, send, upstream } = yield* start("/internal/mcp")
      yield* appear
      const { responses: [response] } = yield* send({ target: "/mcp/tools?a=%20b&c" })
      assert.strictEqual(response?.status, 200)
      const seen = yield* upstream.awaitRequest()
      assert.deepStrictEqual(
        [seen.method, seen.url, seen.headers("host"), seen.headers("x-auth-user-id"), yield* textOf(seen)],
        ["POST", "/internal/mcp/tools?a=%20b&c", ["localhost"], ["dev-user"], ping]
      )
      assert.isEmpty(seen.headers("authorization"))
    }))

  it.live("FWD-31 MUST get requests at its root when the URL has no other path", () =>
    Effect.gen(function*() {
      const { appear, send, upstream } = yield* start("/")
      yield* appear
      yield* send()
      yield* send({ target: "/mcp/below" })
      assert.deepStrictEqual(upstream.requests().map(({ url }) => url), ["/", "/below"])
    }))

  it.live("FWD-32 MUST be found once it is there; until then the response is 502, with the reason in the log", () =>
    Effect.gen(function*() {
      const { appear, logs, send, socket, upstream } = yield* start("/mcp")
      const { responses: [rejected], received } = yield* send()
      assert.strictEqual(rejected?.status, 502)
      yield* eventually(Effect.sync(() => logs.entries().some((entry) => entry.includes("ENOENT"))))
      assert.notInclude(Buffer.from(received).toString(), socket)
      yield* appear
      const { responses: [response] } = yield* send()
      assert.strictEqual(response?.status, 200)
      assert.lengthOf(upstream.requests(), 1)
    }))

  it.live("FWD-33 MUST stream events one by one, and see a client leave", () =>
    Effect.gen(function*() {
      const { appear, bytes, gateway, upstream } = yield* start("/mcp")
      yield* appear
      const stream = yield* makeEventStream()
      yield* upstream.respondWith(stream.handler)
      yield* Effect.scoped(Effect.gen(function*() {
        const response = yield* Effect.orDie(openConnection(gateway.origin))
        yield* response.write(bytes())
        yield* stream.send({ n: 1 })
        yield* response.awaitText("data: {\"n\":1}")
        yield* stream.send({ n: 2 })
        yield* response.awaitText("data: {\"n\":2}")
      }))
      const request = yield* upstream.awaitRequest()
      assert.strictEqual(yield* request.ended, "Aborted")
    }))

  it.live("FWD-34 MUST be reached by the published program", () =>
    Effect.gen(function*() {
      const socket = join(yield* temporaryDirectory, "mcp.sock")
      const upstream = yield* makeRecordingUpstream
      yield* forwardSocket(socket, portOf(upstream.origin))
      const { origin } = yield* startGatewayProgram({ env: staticSettings(urlOf(socket, "/mcp-internal")) })
      const status = yield* Effect.promise(() =>
        fetch(`${origin}/mcp`, {
          method: "POST",
          headers: { authorization: "Bearer dev-token", "content-type": "application/json" },
          body: ping
        }).then(({ status }) => status)
      )
      assert.strictEqual(status, 200)
      assert.strictEqual((yield* upstream.awaitRequest()).url, "/mcp-internal")
    }), 60_000)
})
