import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { makeRoute } from "../../src/http/route.ts"
import { mcpRoute } from "../../src/http/routes.ts"

const route = makeRoute({ path: "/mcp", publicUrl: undefined })
const tag = (target: string) =>
  Result.match(route(target), { onSuccess: ({ row }) => row.name, onFailure: ({ reason }) => reason })

describe("route", () => {
  it("finds the MCP endpoint and what follows it, with the query byte for byte", () => {
    assert.deepStrictEqual(route("/mcp?a=%20b&c"), Result.succeed({ row: mcpRoute, rest: "", query: "a=%20b&c" }))
    assert.deepStrictEqual(route("/mcp/"), Result.succeed({ row: mcpRoute, rest: "/", query: "" }))
    assert.deepStrictEqual(
      route("/mcp/x/tool%20a?x=/healthz"),
      Result.succeed({ row: mcpRoute, rest: "/x/tool%20a", query: "x=/healthz" })
    )
  })

  it("finds the discovery documents at the root and path-inserted, and nowhere else", () => {
    for (const suffix of ["", "/", "/mcp", "/mcp/"]) {
      assert.strictEqual(tag(`/.well-known/oauth-protected-resource${suffix}`), "oauth-protected-resource")
      assert.strictEqual(tag(`/.well-known/oauth-authorization-server${suffix}`), "oauth-authorization-server")
      assert.strictEqual(tag(`/.well-known/openid-configuration${suffix}`), "openid-configuration")
    }
    for (const suffix of ["XYZ", "/other", "/mcp/x", "/../mcp"]) {
      assert.strictEqual(tag(`/.well-known/oauth-protected-resource${suffix}`), "unknown", suffix)
    }
  })

  it("also inserts the path of MCP_PUBLIC_URL", () => {
    const behindPath = makeRoute({ path: "/mcp", publicUrl: "https://host.example/base" })
    const target = "/.well-known/oauth-protected-resource/base/mcp"
    assert.strictEqual(Result.getOrThrow(behindPath(target)).row.name, "oauth-protected-resource")
    assert.strictEqual(tag(target), "unknown")
  })

  it("HTTP-08 accepts as the MCP path only its exact bytes", () => {
    for (
      const target of [
        "//mcp",
        "/./mcp",
        "/x/../mcp",
        "/MCP",
        "/%6dcp",
        "/%6Dcp",
        "/mcp%2fx",
        "/mcp;a=b",
        "/mcp%00",
        "/mcpx",
        "/mcp\\x",
        "/mcp#f",
        "/"
      ]
    ) {
      assert.strictEqual(tag(target), "unknown", target)
    }
  })

  it("HTTP-08 forwards no path below the MCP path that a server could read as another one", () => {
    for (
      const rest of [
        "/../x",
        "/..",
        "/.",
        "/./x",
        "//x",
        "/x//y",
        "/x/..",
        "/%2e%2e/x",
        "/%2E./x",
        "/x%2fy",
        "/x%2Fy",
        "/x%5cy",
        "/x\\y",
        "/x;y=1",
        "/x%00",
        "/x%0d%0ay",
        "/x%252e",
        "/x#f",
        "/\u00e9",
        "/x y",
        "/%zz",
        "/%"
      ]
    ) {
      assert.strictEqual(tag(`/mcp${rest}`), "unknown", rest)
    }
    for (const rest of ["/x", "/x/", "/x.y", "/.x", "/...x", "/x%20y", "/x:y@z~", "/%C3%A9"]) {
      assert.strictEqual(tag(`/mcp${rest}`), "mcp", rest)
    }
  })

  it("HTTP-08 forwards no character that has two encodings, looks like a dot or a slash, or is invisible", () => {
    const misread = [
      "overlong dots: %c0%ae%c0%ae, %e0%80%ae, %f0%80%80%ae, %C0%AE",
      "overlong slash: %c0%af, %e0%80%af; overlong letter: %c1%a1",
      "no UTF-8: %ff, %80, %c3, %c3x, %ed%a0%80, %f4%90%80%80, %f8%80%80%80%80",
      "full-width dot, slash, backslash, percent sign, semicolon: %ef%bc%8e, %ef%bc%8f, %ef%bc%bc, %ef%bc%85, %ef%bc%9b",
      "small full stop and backslash: %ef%b9%92, %ef%b9%a8",
      "leaders and ellipsis: %e2%80%a4, %e2%80%a5, %e2%80%a6, %ef%b8%b0, %ef%b8%99",
      "ideographic full stops: %e3%80%82, %ef%bd%a1",
      "fraction, division and set-minus: %e2%81%84, %e2%88%95, %e2%88%96, %e2%a7%b8",
      "controls: %c2%80, %c2%85, %c2%9f, %e2%80%a8, %e2%80%a9",
      "invisible and directional: %e2%80%8b, %e2%80%8d, %e2%80%ae, %ef%bb%bf, %c2%ad",
      "broken text: %ef%bf%bd, %ef%bf%bf"
    ]
    for (const line of misread) {
      for (const [text] of line.matchAll(/(?:%[0-9a-fx]{2,3})+/gi)) {
        for (const rest of [`/${text}`, `/x${text}y`, `/${text}${text}/x`]) {
          assert.strictEqual(tag(`/mcp${rest}`), "unknown", `${line} ${rest}`)
        }
      }
    }
    for (const rest of ["/%C3%A9", "/%e5%b1%b1%e7%94%b0", "/%F0%9F%98%80", "/%ce%b1%d0%b1", "/x%20y%c2%b0"]) {
      assert.strictEqual(tag(`/mcp${rest}`), "mcp", rest)
    }
  })

  it("HTTP-09 variants of public paths are protected or unknown", () => {
    assert.strictEqual(tag("/.well-known/../mcp"), "unknown")
    assert.strictEqual(tag("/healthz/../mcp"), "unknown")
    assert.strictEqual(tag("/mcp?x=/healthz"), "mcp")
    assert.strictEqual(tag("/mcp%3f/healthz"), "unknown")
    assert.strictEqual(tag("/mcp/healthz"), "mcp")
    assert.strictEqual(tag("/healthz"), "health")
    assert.strictEqual(tag("/readyz"), "readiness")
  })

  it("HTTP-07 rejects targets that are not in origin form", () => {
    for (const target of ["http://evil.example/mcp", "evil.example:80", "*", ""]) {
      assert.strictEqual(tag(target), "MalformedTarget", target)
    }
  })

  it.effect.prop(
    "a forwarded path never leaves the MCP path under any usual reading",
    { text: Schema.String },
    ({ text }) =>
      Effect.sync(() => {
        const found = route(`/mcp/${text}`)
        if (Result.isFailure(found) || found.success.row !== mcpRoute) return
        const { rest } = found.success
        // Bytes that are not UTF-8 become U+FFFD in some servers, and characters of Latin-1 in others.
        const bytes = rest.replace(
          /%([0-9a-f]{2})/gi,
          (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))
        )
        for (const reading of [rest, bytes, Buffer.from(bytes, "latin1").toString("utf8")]) {
          assert.isTrue(new URL(`http://h/mcp${reading}`).pathname.startsWith("/mcp/"), reading)
        }
      })
  )
})
