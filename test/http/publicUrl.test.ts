import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { resourceUrl } from "../../src/config/kinds/resourceUrl.ts"
import { insertedMetadataUrl, metadataUrl, publicUrl } from "../../src/http/publicUrl.ts"

const url = (host: string | undefined, forwarded: { host?: string; proto?: string } = {}, configured?: string) =>
  Result.match(
    publicUrl(configured, {
      host: host === undefined ? [] : [host],
      forwardedHost: forwarded.host,
      forwardedProto: forwarded.proto
    }),
    { onSuccess: (url) => url, onFailure: ({ reason }) => reason }
  )

describe("publicUrl", () => {
  it("is http for loopback hosts and https for all others", () => {
    assert.strictEqual(url("localhost:3000"), "http://localhost:3000")
    assert.strictEqual(url("127.0.0.1:3000"), "http://127.0.0.1:3000")
    assert.strictEqual(url("[::1]:3000"), "http://[::1]:3000")
    assert.strictEqual(url("myapp.fermyon.cloud"), "https://myapp.fermyon.cloud")
    assert.strictEqual(url("myapp.fermyon.tech"), "https://myapp.fermyon.tech")
    assert.strictEqual(url("mcp.example.com:8080"), "https://mcp.example.com:8080")
    assert.strictEqual(url("localhost.evil.example"), "https://localhost.evil.example")
  })

  it("writes hosts in lower case and leaves default ports out", () => {
    assert.strictEqual(url("MCP.Example.COM:443"), "https://mcp.example.com")
    assert.strictEqual(url("localhost:80"), "http://localhost")
    assert.strictEqual(url("example.com:80"), "https://example.com:80")
  })

  it("HTTP-06, ERR-01 rejects every malformed Host", () => {
    for (
      const host of [
        "a b",
        "a@b",
        "a\"b",
        "a,b",
        "a\\b",
        "a/b",
        "a:99999",
        "a:",
        "a:x",
        "",
        "evil\\",
        "-a",
        "a\r\nb",
        "é",
        "[::1",
        "a".repeat(300),
        "a?b",
        "a#b"
      ]
    ) {
      assert.strictEqual(url(host), "MalformedHost", JSON.stringify(host))
    }
    assert.strictEqual(
      Result.isFailure(publicUrl(undefined, { host: ["a", "a"], forwardedHost: undefined, forwardedProto: undefined })),
      true
    )
  })

  it("takes host and scheme from a trusted proxy, the value nearest to the gateway", () => {
    assert.strictEqual(url("10.0.0.1", { host: "mcp.example.com", proto: "https" }), "https://mcp.example.com")
    assert.strictEqual(url("10.0.0.1", { host: "a.example, b.example", proto: "http" }), "http://b.example")
    assert.strictEqual(url("a.example", { proto: "gopher" }), "https://a.example")
  })

  it("DISC-07 MCP_PUBLIC_URL takes precedence over everything in a request", () => {
    assert.strictEqual(
      url("evil.example", { host: "evil.example" }, "https://mcp.example.com"),
      "https://mcp.example.com"
    )
    assert.strictEqual(url(undefined, {}, "https://mcp.example.com"), "https://mcp.example.com")
    assert.strictEqual(url("a\"b", {}, "https://mcp.example.com"), "MalformedHost")
  })

  it.effect.prop(
    "never contains what could break out of a quoted string",
    { host: Schema.String },
    ({ host }) => Effect.sync(() => assert.match(url(host), /^(?:MalformedHost|https?:\/\/[a-z0-9_.:[\]-]+)$/))
  )

  it("builds resource and metadata URLs without a slash at the end", () => {
    assert.strictEqual(resourceUrl("https://h", "/mcp"), "https://h/mcp")
    assert.strictEqual(resourceUrl("https://h", "/"), "https://h")
    assert.strictEqual(metadataUrl("https://h"), "https://h/.well-known/oauth-protected-resource")
    assert.strictEqual(insertedMetadataUrl("https://h", "/mcp"), "https://h/.well-known/oauth-protected-resource/mcp")
    assert.strictEqual(
      insertedMetadataUrl("https://h/base", "/mcp"),
      "https://h/.well-known/oauth-protected-resource/base/mcp"
    )
  })
})
