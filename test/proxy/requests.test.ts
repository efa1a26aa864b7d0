import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ping } from "../fixtures/messages.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import * as responses from "../support/upstreamResponses.ts"

const Fixture = GatewayFixture.layer()
const ok = responses.respond({ headers: { "content-type": "application/json" }, body: "{}" })

/** Fields of MCP and of its neighbours, with values that a proxy might be tempted to tidy up. */
const fields = [
  ["Accept", "application/json, text/event-stream;q=0.9"],
  ["Mcp-Session-Id", "7f3c 9A=/+;,\"~"],
  ["MCP-Protocol-Version", "2025-11-25"],
  ["Mcp-Method", "tools/call"],
  ["Mcp-Name", "=?base64?w6ljaG8=?="],
  ["Mcp-Param-Region", "eu-west-1"],
  ["Mcp-Param-", "empty name"],
  ["mcp-param-lower", "a,b,,c"],
  ["Last-Event-ID", "stream/42?x=%20&y"],
  ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
  ["tracestate", "vendor=a:b,other=1"],
  ["baggage", "k=v;p=1"],
  ["User-Agent", "claude-code/1.0 (é)"],
  ["Accept-Encoding", "gzip, br"],
  ["Accept-Language", "*"],
  ["Origin", "http://localhost:6274"],
  ["X-Custom", "\x80\xff latin-1"],
  ["DPoP", "a.b.c"],
  ["If-None-Match", "W/\"x\""],
  ["Range", "bytes=0-1"],
  ["X-Empty", ""]
] as const

/** A message of that many bytes that a proxy might be tempted to tidy up. */
const padded = (length: number) => {
  const head = `{ "jsonrpc":"2.0", "id":9007199254740993, "method":"x", "params":{"b":1.10,"a":-0,"text":"é`
  const tail = `"} }\n`
  return head + "x".repeat(length - Buffer.byteLength(head) - tail.length) + tail
}

layer(Fixture, { excludeTestServices: true })("requests on their way upstream", (it) => {
  it.effect("FW-3 fields arrive byte for byte, for every method", () =>
    Effect.gen(function*() {
      const { forwarded, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(ok)
      for (const method of ["POST", "GET", "DELETE", "PUT", "PATCH"]) {
        const body = method === "GET" || method === "DELETE" ? null : ping
        const request = yield* forwarded({ method, body, lines: fields.map(([name, value]) => `${name}: ${value}`) })
        assert.strictEqual(request.method, method)
        for (const [name, value] of fields) assert.deepStrictEqual(request.headers(name), [value], name)
      }
    }))

  it.effect("names and values in UTF-8 arrive with the same bytes", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const bytes = Buffer.from("é山👩").toString("latin1")
      assert.deepStrictEqual((yield* forwarded({ lines: [`Mcp-Name: ${bytes}`] })).headers("mcp-name"), [bytes])
    }))

  it.effect("a request names the MCP server's own Host, and is not compressed, chunked or sent with Expect", () =>
    Effect.gen(function*() {
      const { forwarded, reset, upstream } = yield* GatewayFixture
      yield* reset
      const request = yield* forwarded({ lines: ["Expect: 100-continue"] })
      assert.deepStrictEqual(request.headers("host"), [new URL(upstream.origin).host])
      assert.deepStrictEqual(request.headers("content-length"), [String(ping.length)])
      for (const name of ["transfer-encoding", "expect", "content-encoding", "authorization"]) {
        assert.isEmpty(request.headers(name), name)
      }
    }))

  it.effect("the trace id arrives once and equals that of the response, for every field of the client", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      const sent = [[], ["X-Trace-Id: trace-1"], ["X-Trace-Id: not an id"], ["X-Trace-Id: a", "X-Trace-Id: b"]]
      for (const lines of sent) {
        yield* reset
        const { responses: [response] } = yield* send({ lines })
        const traceIds = (yield* upstream.awaitRequest()).headers("x-trace-id")
        assert.lengthOf(traceIds, 1)
        assert.deepStrictEqual(response?.headers("x-trace-id"), traceIds)
        assert.match(traceIds.join(), /^[A-Za-z0-9-]+$/)
      }
    }))

  it.effect("GET, HEAD and DELETE arrive without a body", () =>
    Effect.gen(function*() {
      const { forwarded, reset, upstream } = yield* GatewayFixture
      yield* reset
      yield* upstream.respondWith(ok)
      for (const method of ["GET", "HEAD", "DELETE"]) {
        for (const lines of [[], ["Content-Length: 0"]]) {
          const request = yield* forwarded({ method, body: null, lines })
          assert.strictEqual(request.method, method)
          assert.strictEqual(yield* textOf(request), "")
          assert.isEmpty(request.headers("transfer-encoding"))
        }
      }
    }))

  it.effect("a target below the MCP path arrives below the MCP server's path, byte for byte", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const targets = [
        ["/mcp", "/internal"],
        ["/mcp/", "/internal/"],
        ["/mcp/a", "/internal/a"],
        ["/mcp/a/", "/internal/a/"],
        ["/mcp/%C3%A9/~a!$&'()*+,=:@", "/internal/%C3%A9/~a!$&'()*+,=:@"]
      ] as const
      for (const [sent, arrives] of targets) {
        assert.strictEqual((yield* forwarded({ target: sent })).url, arrives)
        assert.strictEqual((yield* forwarded({ target: `${sent}?a=1` })).url, `${arrives}?a=1`)
      }
    }))

  it.effect("a query arrives byte for byte", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const queries = [
        "a=%20b&c",
        "a=+b&c=",
        "a=1&a=2&A=3",
        "&&=&",
        "%zz%",
        "a[]=1&b={\"x\":1}",
        "x=%C3%A9&y=%e9",
        "?a=/../&b=//&c=\\",
        "sessionId=%2e%2e%2f",
        "q='`|^<>",
        "a;b;c"
      ]
      for (const query of queries) {
        assert.strictEqual((yield* forwarded({ target: `/mcp?${query}` })).url, `/internal?${query}`)
      }
    }))

  it.effect.prop(
    "any query of visible ASCII arrives byte for byte",
    { query: Schema.String.check(Schema.isPattern(/^[!"$-~]{1,40}$/)) },
    ({ query }) =>
      Effect.gen(function*() {
        const { forwarded } = yield* GatewayFixture
        if (/access_token/i.test(decodeURIComponent(query.replace(/%(?![0-7][0-9a-f])/gi, "%25")))) return
        assert.strictEqual((yield* forwarded({ target: `/mcp/x?${query}` })).url, `/internal/x?${query}`)
      }),
    { arbitrary: { runs: 100 } }
  )

  it.effect("a body without additions arrives byte for byte, up to the limit", () =>
    Effect.gen(function*() {
      const { forwarded, reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const limit = 4 * 1024 * 1024
      yield* upstream.respondWith(ok)
      for (const length of [200, 65_536, 1024 * 1024, limit]) {
        const body = padded(length)
        const request = yield* forwarded({ body })
        assert.isTrue(Buffer.from(body).equals(yield* request.body), String(length))
        // A longer one is validated while it is forwarded, so that its length is not known beforehand.
        assert.deepStrictEqual(request.headers("content-length"), length === limit ? [] : [String(length)])
      }
      const { responses: [response] } = yield* send({ body: padded(limit + 1) })
      assert.strictEqual(response?.status, 413)
      assert.lengthOf(upstream.requests(), 4)
    }))
})
