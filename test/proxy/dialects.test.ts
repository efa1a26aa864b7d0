import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ping } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import * as responses from "../support/upstreamResponses.ts"

const chunked = "Transfer-Encoding: chunked"
const chunks = `${ping.length.toString(16)}\r\n${ping}\r\n0\r\n\r\n`

/** The gateway on Node and the one of all other hosts: what is HTTP to one is HTTP to the other. */
const bothGateways = Effect.gen(function*() {
  const { gateway, token, upstream } = yield* GatewayFixture.make()
  const second = yield* makeRecordingUpstream
  const origin = yield* startEffectGateway(settings(`${second.origin}/internal`))
  return [
    { name: "Node", origin: gateway.origin, token, upstream },
    { name: "Effect", origin, token: "dev-token", upstream: second }
  ]
})

const ok = responses.respond({ headers: { "content-type": "application/json" }, body: "{}" })

layer(GatewayFixture.layer(), { excludeTestServices: true })("variants of HTTP", (it) => {
  it.effect("treats a request without content as one without a body, however it is framed", () =>
    Effect.gen(function*() {
      for (const { name, origin, token, upstream } of yield* bothGateways) {
        yield* upstream.respondWith(ok)
        for (const method of ["GET", "HEAD", "DELETE"]) {
          for (const framing of [[chunked], ["Content-Length: 0"], [chunked, "Content-Type: application/json"], []]) {
            yield* upstream.reset
            yield* upstream.respondWith(ok)
            const empty = framing.includes(chunked) ? "0\r\n\r\n" : ""
            const authorization = `Authorization: Bearer ${token}`
            const sent = rawRequest([`${method} /mcp HTTP/1.1`, "Host: 127.0.0.1", authorization, ...framing], empty)
            // The second one shows that the connection continues where the first one ended.
            const exchange = yield* rawExchange(origin, sent + sent, { responses: 2, bodiless: method === "HEAD" })
            const what = `${name} ${method} ${framing.join()}`
            assert.deepStrictEqual(exchange.responses.map(({ status }) => status), [200, 200], what)
            const [request, second] = upstream.requests()
            assert.deepStrictEqual([request?.method, second?.method], [method, method], what)
            assert.isEmpty(request?.headers("transfer-encoding"), what)
            assert.include([undefined, "0"], request?.headers("content-length")[0], what)
          }
        }
      }
    }))

  it.effect("HTTP-03 rejects content where none is allowed, however it is framed", () =>
    Effect.gen(function*() {
      for (const { name, origin, token, upstream } of yield* bothGateways) {
        const rejected = [
          ["GET", 400, [chunked], chunks],
          ["GET", 400, [chunked, "Content-Type: application/json"], "1\r\n{\r\n0\r\n\r\n"],
          ["GET", 400, [`Content-Length: ${ping.length}`], ping],
          ["HEAD", 400, [chunked], chunks],
          ["DELETE", 415, [chunked], chunks],
          ["DELETE", 415, [`Content-Length: ${ping.length}`], ping]
        ] as const
        for (const [method, status, framing, body] of rejected) {
          const authorization = `Authorization: Bearer ${token}`
          const sent = rawRequest([`${method} /mcp HTTP/1.1`, "Host: 127.0.0.1", authorization, ...framing], body)
          const exchange = yield* rawExchange(origin, sent, { bodiless: method === "HEAD" })
          assert.strictEqual(exchange.responses[0]?.status, status, `${name} ${method} ${framing.join()}`)
        }
        assert.isEmpty(upstream.requests(), name)
        // A method that needs no body can still have one, which is forwarded.
        const authorization = `Authorization: Bearer ${token}`
        yield* upstream.respondWith(ok)
        const message = rawRequest(
          ["DELETE /mcp HTTP/1.1", "Host: 127.0.0.1", authorization, "Content-Type: application/json", chunked],
          chunks
        )
        assert.strictEqual((yield* rawExchange(origin, message)).responses[0]?.status, 200, name)
        assert.strictEqual(Buffer.from(yield* (yield* upstream.awaitRequest()).body).toString(), ping, name)
      }
    }))

  it.effect("rejects an empty body where there must be a message", () =>
    Effect.gen(function*() {
      for (const { name, origin, token, upstream } of yield* bothGateways) {
        const lines = ["Host: 127.0.0.1", `Authorization: Bearer ${token}`, "Content-Type: application/json"]
        for (const [framing, body] of [[chunked, "0\r\n\r\n"], ["Content-Length: 0", ""]] as const) {
          const { responses: [response] } = yield* rawExchange(
            origin,
            rawRequest(["POST /mcp HTTP/1.1", ...lines, framing], body)
          )
          assert.strictEqual(response?.status, 400, `${name} ${framing}`)
        }
        assert.isEmpty(upstream.requests(), name)
      }
    }))

  it.effect("accepts JSON under every spelling of its type", () =>
    Effect.gen(function*() {
      const { forwarded, reset, send } = yield* GatewayFixture
      const types = [
        "application/json; charset=UTF-8",
        "Application/JSON",
        "APPLICATION/JSON;CHARSET=utf8",
        "application/json;charset=\"utf-8\"",
        "application/json;charset=\"utf\\-8\"",
        "application/json;",
        "application/json ; charset = utf-8",
        "application/json; profile=\"http://x/;charset=latin1\"; charset=utf-8",
        "application/json; profile=x",
        "application/json; ieee754compatible=true;odata.metadata=minimal",
        "application/json, application/json",
        "\tapplication/json\t"
      ]
      for (const contentType of types) {
        yield* reset
        yield* forwarded({ contentType })
      }
      yield* reset
      const others = [
        "application/json; charset=latin1",
        "application/json; charset=utf-16",
        "application/json; charset=\"utf-8",
        "application/json; charset",
        "application/json; charset=",
        "application/json; charset=utf-8; charset=utf-7",
        "application/json; x=\"; charset=utf-8\"; charset=utf-7",
        "application/json, text/plain",
        "text/plain; application/json",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "text/json",
        "\"application/json\"",
        ";application/json",
        ""
      ]
      for (const contentType of others) {
        const { responses: [response] } = yield* send({ contentType })
        assert.strictEqual(response?.status, 415, contentType)
      }
    }))

  it.effect("HTTP-07 accepts a target in absolute form if its host is that of Host", () =>
    Effect.gen(function*() {
      for (const { name, origin, token, upstream } of yield* bothGateways) {
        const ask = Effect.fnUntraced(function*(target: string, host: string | undefined, version = "1.1") {
          const lines = [...(host === undefined ? [] : [`Host: ${host}`]), `Authorization: Bearer ${token}`]
          const sent = rawRequest([
            `POST ${target} HTTP/${version}`,
            ...lines,
            "Content-Type: application/json",
            `Content-Length: ${ping.length}`
          ], ping)
          return (yield* rawExchange(origin, sent)).responses[0]
        })
        const good = [
          ["http://mcp.example/mcp", "mcp.example"],
          ["HTTP://MCP.example/mcp?a=http://b/", "mcp.EXAMPLE"],
          ["https://mcp.example/mcp", "mcp.example:443"],
          ["http://mcp.example:80/mcp", "mcp.example"],
          ["http://[::1]:8080/mcp", "[::1]:8080"]
        ] as const
        for (const [target, host] of good) {
          yield* upstream.reset
          assert.strictEqual((yield* ask(target, host))?.status, 200, `${name} ${target}`)
          const query = target.includes("?") ? "?a=http://b/" : ""
          assert.strictEqual(upstream.requests()[0]?.url, `/internal${query}`, name)
        }
        yield* upstream.reset
        // HTTP/1.0 needs no Host.
        assert.strictEqual((yield* ask("http://mcp.example/mcp", undefined, "1.0"))?.status, 200, name)
        yield* upstream.reset
        const bad = [
          ["http://evil.example/mcp", "mcp.example", 400],
          ["http://mcp.example:8080/mcp", "mcp.example", 400],
          ["http://mcp.example/mcp", undefined, 400],
          ["http://user:secret@mcp.example/mcp", "mcp.example", 400],
          ["http://mcp.example\\@evil.example/mcp", "mcp.example", 400],
          ["http:///mcp", "mcp.example", 400],
          ["http://mcp.example#/mcp", "mcp.example", 400],
          ["ftp://mcp.example/mcp", "mcp.example", 400],
          ["mcp.example/mcp", "mcp.example", 400],
          ["http://-mcp.example/mcp", "-mcp.example", 400],
          ["http://mcp.example", "mcp.example", 404],
          ["http://mcp.example?/mcp", "mcp.example", 404],
          ["http://mcp.example//mcp", "mcp.example", 404],
          ["http://mcp.example/x/../mcp", "mcp.example", 404],
          ["http://mcp.example/mcp/%2e%2e/x", "mcp.example", 404]
        ] as const
        for (const [target, host, status] of bad) {
          assert.strictEqual((yield* ask(target, host))?.status, status, `${name} ${target}`)
        }
        assert.isEmpty(upstream.requests(), name)
      }
    }))

  it.effect("HTTP-07 challenges for a target in absolute form with the metadata of its host", () =>
    Effect.gen(function*() {
      for (const { name, origin } of yield* bothGateways) {
        const { responses: [response] } = yield* rawExchange(
          origin,
          rawRequest(["GET http://mcp.example/mcp HTTP/1.1", "Host: mcp.example"])
        )
        assert.strictEqual(response?.status, 401, name)
        assert.include(
          response?.headers("www-authenticate").join(),
          "https://mcp.example/.well-known/oauth-protected-resource",
          name
        )
        const health = rawRequest(["GET http://10.0.0.1/healthz HTTP/1.1", "Host: lb"])
        assert.strictEqual((yield* rawExchange(origin, health)).responses[0]?.status, 200, name)
      }
    }))
})
