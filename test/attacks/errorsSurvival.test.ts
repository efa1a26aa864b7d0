import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { connect } from "node:net"
import { initialize, ping } from "../fixtures/messages.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { bare, post } from "../support/hostile.ts"
import { rawExchange } from "../support/rawHttp.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"
import * as responses from "../support/upstreamResponses.ts"

/** Numbers that look random and are the same each time (Numerical Recipes, section 7.1). */
const makeDice = (seed: number) => {
  let state = seed
  return (sides: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

const endings = ["reset", "destroy", "end"] as const

/** Sends, reads at least so many bytes or waits for so long, and leaves. */
const abandon = (
  port: number,
  bytes: string,
  { ending, millis, read }: { readonly ending: typeof endings[number]; readonly read: number; readonly millis: number }
): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const socket = connect({ host: "127.0.0.1", port })
    let received = 0
    const leave = () => {
      if (ending === "reset") socket.resetAndDestroy()
      else if (ending === "destroy") socket.destroy()
      else socket.end(() => socket.destroy())
    }
    socket.on("connect", () =>
      socket.write(Buffer.from(bytes, "latin1"), () => {
        if (read === 0) setTimeout(leave, millis)
      }))
    socket.on("data", (chunk) => {
      received += chunk.length
      if (received >= read) leave()
    })
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.void))
  })

const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

/** Responses that no MCP server should send, and the status that the client must get instead. */
const junk: Readonly<Record<string, readonly [bytes: string, status: number | "broken"]>> = {
  "nothing": ["", 502],
  "no HTTP": ["junk\r\n\r\n", 502],
  "NULs": ["\0".repeat(100), 502],
  "half a head": ["HTTP/1.1 200 OK\r\nContent-Ty", 502],
  "a bad status": ["HTTP/1.1 2x0 OK\r\n\r\n", 502],
  "status 99": ["HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n", 502],
  "status 999": ["HTTP/1.1 999 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 502],
  "a bad length": ["HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 502],
  "a negative length": ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 502],
  "two lengths": [`${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}}`, 502],
  "length and chunks": [`${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 502],
  "a field with NUL": [`${head}X: a\0b\r\nContent-Length: 2\r\n\r\n{}`, 502],
  "a bare CR": [`${head}X: a\rY: b\r\nContent-Length: 2\r\n\r\n{}`, 502],
  "a folded field": [`${head}X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}`, 502],
  "a huge head": [`${head}X: ${"x".repeat(100_000)}\r\n\r\n`, 502],
  "an upgrade": ["HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbytes", 502],
  "interim responses for ever": ["HTTP/1.1 103 Early Hints\r\n\r\n".repeat(500), 502],
  "half a short body": [`${head}Content-Length: 100\r\n\r\n{}`, 502],
  "half a long body": [`${head}Content-Length: 1000000\r\n\r\n{}`, "broken"],
  "a bad chunk": [`${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n`, "broken"],
  "no last chunk": [`${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`, "broken"],
  "two responses": [`${head}Content-Length: 2\r\n\r\n{}${head}Content-Length: 9\r\n\r\n"another"`, 200],
  "a response and junk": [`${head}Content-Length: 2\r\n\r\n{}junk`, 200],
  "trailers": [
    `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n`,
    200
  ]
}

layer(GatewayFixture.layer({ upstreamTimeoutMillis: 500 }), { excludeTestServices: true })("survival", (it) => {
  it.effect("ERR-08 survives everything that the MCP server sends", () =>
    Effect.gen(function*() {
      const { bytes, forwarded, gateway, reset, upstream } = yield* GatewayFixture
      for (const [name, [sent, expected]] of Object.entries(junk)) {
        for (const then of ["End", "Reset", "Silence"] as const) {
          // A body that may still continue is not a fault.
          if (then === "Silence" && (expected === "broken" || name === "half a short body")) continue
          yield* reset
          yield* upstream.respondWith(responses.rawBytes(sent, then))
          const { responses: [response], outcome } = yield* rawExchange(gateway.origin, bytes())
          if (expected === "broken") {
            assert.include(["Closed", "Reset"], outcome, `${name}, ${then}`)
            assert.isUndefined(response, `${name}, ${then}`)
          } else {
            // The time is up for what is merely incomplete.
            const late = expected === 502 && then === "Silence" ? [502, 504] : [expected]
            assert.include(late, response?.status, `${name}, ${then}: ${outcome} ${response?.text}`)
            assert.notInclude(response?.text ?? "", "another")
            if (expected === 200) assert.strictEqual(response?.text, "{}", name)
          }
          yield* upstream.reset
          // Its connection is not used again: the next response is the next request's own.
          assert.strictEqual((yield* forwarded()).method, "POST")
        }
      }
    }), 60_000)

  const conversations: ReadonlyArray<readonly [string, UpstreamHandler]> = [
    ["an ordinary response", responses.jsonRpc],
    ["an endless stream", responses.bigStream(Infinity, "text/event-stream")],
    ["a long response", responses.bigStream(300_000)],
    ["silence", responses.hang],
    ["a slow head", responses.slowHead("20 millis")],
    ["half a body", responses.halfBody("Reset")]
  ]

  it.effect("ERR-08 survives clients that leave at any moment", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, token, upstream } = yield* GatewayFixture
      const dice = makeDice(20_261_121)
      const requests = [
        bytes(),
        bytes({ body: initialize }),
        bytes() + bytes(),
        post([]),
        bare("GET /mcp", `Authorization: Bearer ${token}`),
        bytes({ body: "x".repeat(200_000) }),
        bytes({ lines: ["Expect: 100-continue"] }),
        bytes().replace(`Content-Length: ${ping.length}`, "Transfer-Encoding: chunked"),
        `${bytes()}\x01junk\r\n\r\n`,
        "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"
      ]
      for (const [name, handler] of conversations) {
        yield* reset
        yield* upstream.respondWith(handler)
        const attempts = Array.from({ length: 60 }, () => {
          const request = requests[dice(requests.length)] ?? ""
          const whole = dice(2) === 0
          return abandon(gateway.port, whole ? request : request.slice(0, dice(request.length)), {
            ending: endings[dice(endings.length)] ?? "reset",
            millis: dice(20),
            read: whole && dice(2) === 0 && name !== "silence" ? 1 + dice(50) : 0
          })
        })
        yield* Effect.all(attempts, { concurrency: 8, discard: true }).pipe(Effect.timeout("15 seconds"))
        const seen = upstream.requests()
        assert.isNotEmpty(seen, name)
        // The abandoned requests have been cancelled.
        yield* Effect.forEach(seen, ({ ended }) => ended, { discard: true }).pipe(Effect.timeout("5 seconds"))
        yield* upstream.reset
        const { responses: [response] } = yield* rawExchange(gateway.origin, bytes())
        assert.strictEqual(response?.status, 200, name)
      }
    }), 60_000)

  it.effect(
    "ERR-08 cancels requests that wait behind an open stream when the client leaves",
    () =>
      Effect.gen(function*() {
        const { bytes, gateway, reset, upstream } = yield* GatewayFixture
        for (const [behind, count] of [[bytes(), 2], ["\x01junk\r\n\r\n", 1]] as const) {
          for (const ending of endings) {
            yield* reset
            yield* upstream.respondWith(responses.bigStream(Infinity, "text/event-stream"))
            // Both have been begun by the time so much of the first is here.
            yield* abandon(gateway.port, bytes() + behind, { ending, millis: 0, read: 500_000 })
            yield* Effect.timeout(upstream.awaitRequest(count), "5 seconds")
            for (const { ended } of upstream.requests()) {
              assert.strictEqual(yield* Effect.timeout(ended, "5 seconds"), "Aborted")
            }
          }
        }
      }),
    60_000
  )

  it.effect("ERR-08, HTTP-10 cuts an open response when a CONNECT follows on its connection", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(responses.bigStream(Infinity, "text/event-stream"))
      const tunnel = "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"
      // Node would leave it open and never send the rest.
      yield* Effect.timeout(
        abandon(gateway.port, bytes() + tunnel, { ending: "end", millis: 0, read: Infinity }),
        "5 seconds"
      )
      for (const { ended } of upstream.requests()) {
        assert.strictEqual(yield* Effect.timeout(ended, "5 seconds"), "Aborted")
      }
      yield* upstream.reset
      const { responses: [response] } = yield* rawExchange(gateway.origin, bytes())
      assert.strictEqual(response?.status, 200)
    }))

  it.effect("ERR-08 never writes an error into another response, nor a second response to one request", () =>
    Effect.gen(function*() {
      const { bytes, forwarded, gateway, reset, upstream } = yield* GatewayFixture
      const long = 300_000
      for (
        const behind of ["\x01junk\r\n\r\n", "GET / HTTP/1.1\r\n x\r\n\r\n", `GET /${"x".repeat(40_000)}`]
      ) {
        yield* reset
        yield* upstream.respondWith(responses.bigStream(long))
        const { responses: [first, second, third], rest } = yield* rawExchange(gateway.origin, [bytes(), behind], {
          responses: Infinity
        })
        assert.strictEqual(first?.status, 200, behind.slice(0, 20))
        assert.deepStrictEqual([first?.text.length, /[^a]/.test(first?.text ?? "")], [long, false])
        assert.include([400, 431], second?.status)
        assert.deepStrictEqual([third, rest.length], [undefined, 0])
        yield* upstream.reset
        yield* forwarded()
      }
    }))

  it.effect("ERR-08 responds to a flood of broken requests mixed with good ones", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      const dice = makeDice(7)
      const broken = [
        post([]),
        "\x01\r\n\r\n",
        bytes({ body: "{" }),
        bytes({ authorization: "Bearer x" }),
        bare("GET //")
      ]
      const good = Effect.map(rawExchange(gateway.origin, bytes()), ({ responses }) => responses[0]?.status)
      const bad = Effect.suspend(() => rawExchange(gateway.origin, broken[dice(broken.length)] ?? ""))
      const statuses = yield* Effect.all(
        Array.from({ length: 200 }, (_, index) =>
          index % 4 === 0 ? good : Effect.map(bad, ({ responses }) => responses[0]?.status)),
        { concurrency: 32 }
      )
      assert.deepStrictEqual(
        statuses.filter((_, index) =>
          index % 4 === 0
        ),
        Array.from({ length: 50 }, () => 200)
      )
      assert.isTrue(statuses.every((status) => status !== undefined && status < 500))
      assert.lengthOf(upstream.requests(), 50)
    }))
})
