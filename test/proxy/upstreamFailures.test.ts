import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { createServer } from "node:net"
import { initialize, toolCall } from "../fixtures/messages.ts"
import { assertRejected } from "../support/assertRejected.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import * as responses from "../support/upstreamResponses.ts"

const Fixture = GatewayFixture.layer({ upstreamTimeoutMillis: 300 })
const unavailable = { status: 502, error: "server_error", upstreamRequests: 1 }
// Not to be repeated, regardless of the connection.
const echo = toolCall("echo")

const head = (lines: string) => `HTTP/1.1 ${lines}\r\n\r\n`

/** A port without a listener. */
const unreachableOrigin = Effect.callback<string>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" ? address?.port : undefined
    server.close(() => resume(Effect.succeed(`http://127.0.0.1:${port}`)))
  })
})

layer(Fixture, { excludeTestServices: true })("an upstream that fails", (it) => {
  it.effect("FW-7 one that is down gives 502 for each request, and public paths respond", () =>
    Effect.gen(function*() {
      for (const gatewayUrl of [yield* unreachableOrigin, "http://mcp.invalid/x"]) {
        const { logs, send, token } = yield* GatewayFixture.make({ gatewayUrl })
        for (const method of ["POST", "GET", "DELETE", "HEAD"]) {
          const { responses: [reply], outcome } = yield* send({ method })
          assert.deepStrictEqual([outcome, reply?.status], ["Responded", 502])
          if (method !== "HEAD") {
            assert.deepStrictEqual(JSON.parse(reply?.text ?? ""), {
              error: "server_error",
              error_description: "MCP gateway unavailable"
            })
          }
          assert.lengthOf(reply?.headers("x-trace-id") ?? [], 1)
        }
        const { responses: [health] } = yield* send({ method: "GET", target: "/healthz", authorization: null })
        assert.strictEqual(health?.status, 200)
        const log = logs.entries().join("\n")
        assert.match(log, /ECONNREFUSED|ENOTFOUND|EAI_AGAIN/)
        assert.notInclude(log, token)
      }
    }))

  it.effect("FW-7 one that comes back gets requests again at once", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      yield* fixture.upstream.respondWith(responses.rawBytes("", "Reset"))
      for (let round = 0; round < 5; round++) {
        assert.strictEqual((yield* fixture.send()).responses[0]?.status, 502)
      }
      yield* fixture.reset
      yield* fixture.forwarded()
    }))

  it.effect("FW-7 one that does not begin its response in time gives 504, and its request is cancelled", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { reset, upstream } = fixture
      const slow = [
        responses.hang,
        responses.rawBytes("HTTP/1.1 200 OK\r\nX-Never-", "Silence"),
        // A short response is forwarded as a whole, so it has to arrive as a whole.
        responses.rawBytes(
          `${head("200 OK\r\nContent-Type: application/json\r\nContent-Length: 64")}{"jsonrpc"`,
          "Silence"
        )
      ]
      for (const handler of slow) {
        yield* reset
        yield* upstream.respondWith(handler)
        const ended = yield* Effect.forkChild(Effect.flatMap(upstream.awaitRequest(), (request) => request.ended))
        const reply = yield* assertRejected(fixture, {}, { status: 504, error: "server_error", upstreamRequests: 1 })
        assert.strictEqual(JSON.parse(reply.text).error_description, "MCP gateway timed out")
        assert.strictEqual(yield* Effect.timeout(Fiber.join(ended), "3 seconds"), "Aborted")
      }
    }))

  it.effect("a body may take longer than the head", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(Effect.fnUntraced(function*(request, response) {
        yield* request.body
        response.writeHead(200, { "content-type": "application/json" })
        response.write("{")
        // undici checks its timeouts about once a second.
        yield* Effect.sleep("2500 millis")
        response.end("}")
      }))
      const { responses: [reply] } = yield* send()
      assert.deepStrictEqual([reply?.status, reply?.text], [200, "{}"])
    }))

  it.effect("FW-7 one that breaks off before its head is complete, or sends garbage, gives 502", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const broken = {
        "reset": responses.rawBytes("", "Reset"),
        "closed": responses.rawBytes("", "End"),
        "half a head": responses.halfHead,
        "half a head, reset": responses.rawBytes("HTTP/1.1 200 OK\r\nContent-Ty", "Reset"),
        "an interim response only": responses.rawBytes(head("103 Early Hints"), "End"),
        "no HTTP": responses.rawBytes("SSH-2.0-OpenSSH_9.6\r\n", "End"),
        "TLS alert": responses.rawBytes(Buffer.from("15030300020228", "hex"), "End"),
        "two lengths": responses.rawBytes(head("200 OK\r\nContent-Length: 2\r\nContent-Length: 3") + "{}x", "End"),
        "a space before the colon": responses.rawBytes(head("200 OK\r\nContent-Length : 2") + "{}", "End"),
        "a huge head": responses.rawBytes(head(`200 OK\r\nX-Pad: ${"x".repeat(100_000)}`), "End"),
        "a tunnel": responses.rawBytes(head("101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade"), "End"),
        "an invalid status": responses.rawBytes(head("999 What\r\nContent-Length: 0"), "End"),
        "a status below 200": responses.rawBytes(head("099 What\r\nContent-Length: 0"), "End")
      }
      for (const [name, handler] of Object.entries(broken)) {
        yield* fixture.reset
        yield* fixture.upstream.respondWith(handler)
        const reply = yield* assertRejected(fixture, { body: echo }, unavailable).pipe(
          Effect.catchDefect((defect) => Effect.die(new Error(name, { cause: defect })))
        )
        assert.strictEqual(JSON.parse(reply.text).error_description, "MCP gateway unavailable")
      }
    }))

  it.effect("FW-7 a short response that breaks off gives 502; a long or open one is visibly incomplete", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { forwarded, reset, send, upstream } = fixture
      for (const then of ["End", "Reset"] as const) {
        yield* reset
        yield* upstream.respondWith(responses.halfBody(then))
        yield* assertRejected(fixture, {}, unavailable)
        const open = [
          "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n0123456789",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\nnonsense\r\n"
        ]
        for (const bytes of open) {
          yield* upstream.respondWith(responses.rawBytes(bytes, then))
          const { responses: complete, outcome, received } = yield* send()
          assert.isEmpty(complete)
          assert.include(["Closed", "Reset"], outcome)
          assert.include(Buffer.from(received).toString(), "0123456789")
        }
        yield* upstream.reset
        yield* forwarded()
      }
    }))

  it.effect("FW-7 a broken response to initialize gives 502 too", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const json = "Content-Type: application/json\r\n"
      const broken = [
        `HTTP/1.1 200 OK\r\n${json}Content-Length: 100000\r\n\r\n{"jsonrpc"`,
        `HTTP/1.1 200 OK\r\n${json}Transfer-Encoding: chunked\r\n\r\na\r\n{"jsonrpc"\r\n`
      ]
      for (const bytes of broken) {
        yield* fixture.reset
        yield* fixture.upstream.respondWith(responses.rawBytes(bytes, "End"))
        yield* assertRejected(fixture, { body: initialize }, unavailable)
      }
      yield* fixture.upstream.respondWith(responses.bigStream(5 * 1024 * 1024, "application/json"))
      yield* assertRejected(fixture, { body: initialize }, unavailable)
    }))

  it.effect("FW-8 a redirect gives 502, and its target gets no request", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const elsewhere = yield* makeRecordingUpstream
      for (const status of [300, 301, 302, 303, 307, 308]) {
        for (const method of ["POST", "GET", "DELETE"]) {
          yield* fixture.reset
          yield* fixture.upstream.respondWith(responses.redirect(`${elsewhere.origin}/trap`, status))
          const { headers, text } = yield* assertRejected(fixture, { method }, unavailable)
          assert.isEmpty(headers("location"))
          assert.notInclude(text, "trap")
        }
      }
      assert.isEmpty(elsewhere.requests())
    }))

  it.effect("CH-20 the MCP server's own challenge gives 502, and is not passed on", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { send, upstream } = fixture
      const metadata = "http://elsewhere.example/.well-known/oauth-protected-resource"
      for (const status of [401, 403]) {
        for (const challenge of [`Bearer resource_metadata="${metadata}"`, "Basic realm=\"x\"", "Negotiate"]) {
          yield* fixture.reset
          yield* upstream.respondWith(responses.challenge(challenge, status))
          const { headers, text } = yield* assertRejected(fixture, {}, unavailable)
          assert.isEmpty(headers("www-authenticate"))
          assert.notInclude(text, "elsewhere")
        }
      }
      yield* upstream.respondWith(responses.respond({ status: 401, body: "{}" }))
      yield* assertRejected(fixture, {}, unavailable)
      // Without a challenge a 403 is the server's verdict on this one call.
      yield* upstream.respondWith(responses.respond({ status: 403, body: "{\"no\":1}" }))
      const { responses: [reply] } = yield* send()
      assert.deepStrictEqual([reply?.status, reply?.text], [403, "{\"no\":1}"])
    }))

  it.effect("connections that the MCP server closed between requests are not reused", () =>
    Effect.gen(function*() {
      const { forwarded, reset, upstream } = yield* GatewayFixture
      for (const connection of ["", "Connection: close\r\n"]) {
        for (const then of ["End", "Reset"] as const) {
          yield* reset
          const head = `HTTP/1.1 200 OK\r\n${connection}Content-Length: 2\r\n\r\n`
          yield* upstream.respondWith(responses.rawBytes(`${head}{}`, then))
          yield* forwarded()
          // The news that a connection is closed takes its time to arrive.
          yield* Effect.sleep("100 millis")
          yield* reset
          yield* forwarded()
        }
      }
    }))
})
