import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { assertAllHostile, bare, type Hostile, post } from "../support/hostile.ts"
import { rawExchange } from "../support/rawHttp.ts"

const unsupported = { status: 415, error: "unsupported_media_type" }

layer(GatewayFixture.layer(), { excludeTestServices: true })("what browsers send and display", (it) => {
  it.effect("WEB-05 responds to a preflight from its own list, and never forwards it", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      yield* fixture.reset
      const allowHeaders = Effect.fnUntraced(function*(requested: string) {
        const lines = ["Origin: http://localhost:1", "Access-Control-Request-Method: EVIL", requested]
        const { responses: [response] } = yield* rawExchange(fixture.gateway.origin, bare("OPTIONS /mcp", ...lines))
        if (response === undefined) return assert.fail("no response")
        assert.strictEqual(response.status, 204)
        assert.deepStrictEqual(response.headers("access-control-allow-methods"), ["GET, POST, PUT, DELETE, OPTIONS"])
        assert.isEmpty(response.headers("access-control-allow-private-network"))
        return response.headers("access-control-allow-headers").join("|")
      })
      const usual = yield* allowHeaders("X: 1")
      assert.include(usual.split(", "), "Authorization")
      const echoed = "authorization, x-custom, mcp-session-id"
      assert.strictEqual(yield* allowHeaders(`Access-Control-Request-Headers: ${echoed}`), echoed)
      const hostile = [
        "",
        "x y",
        "a,,b",
        "x: y",
        "<script>",
        "\"x\"",
        "caf\xe9",
        "x;y",
        "x".repeat(65),
        Array.from({ length: 65 }, () => "x").join(", "),
        "x, "
      ]
      for (const requested of hostile) {
        assert.strictEqual(yield* allowHeaders(`Access-Control-Request-Headers: ${requested}`), usual, requested)
      }
      yield* allowHeaders("Access-Control-Request-Private-Network: true")
      assert.isEmpty(fixture.upstream.requests())
    }))

  it.effect("WEB-06 rejects what a form or a simple request can send, even with a token", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const types = [
        "text/plain",
        "text/plain; application/json",
        "text/plain;charset=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/json, text/plain",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/json; charset=utf-8; charset=utf-7",
        "application/jsonp",
        "application/x-json",
        "text/json",
        "text/html",
        "json",
        "*/*",
        ""
      ]
      yield* assertAllHostile(fixture, unsupported, [
        ...types.map((type): Hostile => [type, () => fixture.bytes({ contentType: type })]),
        ["no type", () => fixture.bytes({ contentType: null })]
      ])
      yield* assertAllHostile(
        fixture,
        { status: 401, error: "unauthorized" },
        types.map((contentType): Hostile => [contentType, () => fixture.bytes({ contentType, authorization: null })])
      )
      for (const contentType of ["application/json;charset=utf-8", "APPLICATION/JSON; charset=\"UTF-8\""]) {
        yield* fixture.forwarded({ contentType })
      }
    }))

  it.effect("WEB-07 responds in JSON that no browser displays as a page, and repeats nothing of the request", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { gateway, token } = fixture
      const script = "<script>alert(document.domain)</script>"
      const marker = "alert(document"
      const lines = [
        `User-Agent: ${script}`,
        `X-Trace-Id: ${script}`,
        `Referer: ${script}`,
        `Accept: text/html;q=${script}`
      ]
      const pages = [
        bare(`GET /${script}`, ...lines),
        bare(`GET /mcp?${script}`, ...lines),
        bare(`GET /.well-known/oauth-protected-resource?${script}`, ...lines),
        bare(`GET /.well-known/oauth-protected-resource/${script}`, ...lines),
        bare("GET /.well-known/oauth-authorization-server", ...lines),
        bare("GET /healthz", ...lines),
        bare("GET /readyz", ...lines),
        bare(`DELETE /healthz?${script}`, ...lines),
        bare("GET /mcp", `Authorization: Bearer ${script}`),
        bare("GET /mcp", `Authorization: ${script}`),
        bare("GET /mcp", `Origin: https://${script}`),
        bare("GET /mcp", `Host: ${script}`),
        `GET /${script} ${script}\r\n\r\n`,
        fixture.bytes({ body: script }),
        fixture.bytes({ contentType: script }),
        fixture.bytes({ lines: [`Content-Encoding: ${script}`] }),
        fixture.bytes({ lines: [`Expect: ${script}`] }),
        bare(`OPTIONS /${script}`, `Access-Control-Request-Headers: ${script}`)
      ]
      for (const page of pages) {
        const { responses: [response], received } = yield* rawExchange(gateway.origin, page)
        if (response === undefined) return assert.fail(`no response: ${page}`)
        assert.notInclude(Buffer.from(received).toString(), marker, page)
        if (response.status === 204) continue
        assert.deepStrictEqual(response.headers("content-type"), ["application/json"], page)
        assert.deepStrictEqual(response.headers("x-content-type-options"), ["nosniff"], page)
      }
      // An id that may be repeated is repeated.
      const { responses } = yield* rawExchange(
        gateway.origin,
        post(["X-Trace-Id: 0af7-65", `Authorization: Bearer ${token}`])
      )
      assert.deepStrictEqual(responses[0]?.headers("x-trace-id"), ["0af7-65"])
    }))
})
