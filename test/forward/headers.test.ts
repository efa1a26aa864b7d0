import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { encodeFieldValue, identityHeaders } from "../../src/forward/identityHeaders.ts"
import { requestHeaders } from "../../src/forward/requestHeaders.ts"
import { responseHeaders } from "../../src/forward/responseHeaders.ts"
import type { Identity } from "../../src/identity/Identity.ts"

const own = { "x-auth-user-id": "alice", "x-trace-id": "t-1" }
const send = (
  received: Record<string, string>,
  options: { trustedPeer?: boolean; forwardAuthorization?: boolean } = {}
) =>
  requestHeaders(received, {
    trustedPeer: false,
    forwardAuthorization: false,
    bindsSession: false,
    ownedFields: new Set(),
    own,
    ...options
  })

const identity: Identity = {
  subject: "user_1",
  clientId: "client",
  issuer: "https://issuer.example/",
  scopes: ["mcp:read", "mcp:write"],
  email: "user@example.com",
  name: undefined,
  provider: "authkit",
  expiresAt: undefined,
  claims: {}
}

describe("requestHeaders", () => {
  it("FW-3 forwards what MCP needs, byte for byte", () => {
    const kept = {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-session-id": "s 1",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": "=?base64?w6k=?=",
      "mcp-param-region": "eu",
      "last-event-id": "e/1",
      traceparent: "00-a-b-01",
      origin: "http://localhost:6274"
    }
    assert.deepStrictEqual(send(kept), { ...kept, ...own })
  })

  // Names that servers behind read as the caller's identity, and the spellings that reach them under one name.
  const names = [
    "x-auth-user-id",
    "x-auth-user",
    "x-auth-anything",
    "x-user-id",
    "x-user",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-access-token",
    "x-forwarded-preferred-username",
    "x-remote-user",
    "remote-user",
    "remote-groups",
    "x-webauth-user",
    "x-authenticated-userid",
    "x-access-token",
    "x-goog-authenticated-user-email",
    "x-amzn-oidc-identity",
    "x-amzn-mtls-clientcert-subject",
    "client-cert",
    "client-cert-chain",
    "x-jwt-assertion",
    "x-jwt-payload",
    "x-userinfo",
    "x-userid",
    "x-anonymous-consumer",
    "oidc-claim-sub",
    "mellon-name-id",
    "sm-user",
    "teleport-jwt-assertion",
    "x-ms-client-principal",
    "cf-access-jwt-assertion",
    "x-id-token",
    "x-pomerium-jwt-assertion",
    "x-endpoint-api-userinfo",
    "x-consumer-username",
    "x-authentik-username",
    "tailscale-user-login",
    "x-ssl-client-cn",
    "impersonate-user",
    "proxy"
  ]
  const spellings = [
    (name: string) => name,
    (name: string) => name.toUpperCase(),
    (name: string) => name.replaceAll("-", "_"),
    (name: string) => name.replace("-", "_"),
    (name: string) => `${name}.`,
    (name: string) => name.replaceAll("-", "."),
    (name: string) => name.replaceAll("-", "--")
  ]

  it("FWD-01, FWD-02 removes every field that claims an identity, in every spelling", () => {
    for (const name of names) {
      for (const spell of spellings) {
        for (const trustedPeer of [false, true]) {
          assert.deepStrictEqual(send({ [spell(name)]: "admin" }, { trustedPeer }), own, spell(name))
        }
      }
    }
    assert.deepStrictEqual(send({ "x-author": "kept" }), { "x-author": "kept", ...own })
  })

  // Fields from a platform to its program; the field of a client would take precedence there.
  const platform = [
    "spin-path-info",
    "spin-full-url",
    "spin-client-addr",
    "spin-matched-route",
    "spin-component-route",
    "spin-path-match-id",
    "spin-anything-to-come",
    "x-appengine-user-email",
    "x-appengine-inbound-appid",
    "x-appengine-cron",
    "x-arr-clientcert",
    "dapr-caller-app-id",
    "x-amzn-request-context",
    "x-amzn-lambda-context"
  ]

  it("removes fields that only a platform may set, in every spelling, even from a trusted proxy", () => {
    for (const name of platform) {
      for (const spell of spellings) {
        for (const trustedPeer of [false, true]) {
          assert.deepStrictEqual(send({ [spell(name)]: "/admin" }, { trustedPeer }), own, spell(name))
        }
      }
    }
    const kept = { spinner: "kept", "x-spin": "kept", "spinal-tap": "11", "x-amzn-trace-id": "kept", "x-fly": "kept" }
    assert.deepStrictEqual(send(kept), { ...kept, ...own })
  })

  it("forwards an edge's fields about the client only from a trusted peer", () => {
    const edge = {
      "fly-client-ip": "1.2.3.4",
      "fly-forwarded-proto": "https",
      "x-vercel-forwarded-for": "1.2.3.4",
      "x-vercel-ip-country": "DE",
      "cf-connecting-ip": "1.2.3.4",
      "cf-connecting-ipv6": "::1",
      "cf-visitor": "{}",
      "cf-ipcountry": "DE",
      "fastly-client-ip": "1.2.3.4",
      "cloudfront-viewer-address": "1.2.3.4:5",
      "x-azure-clientip": "1.2.3.4",
      "x-nf-client-connection-ip": "1.2.3.4",
      "do-connecting-ip": "1.2.3.4",
      "x-scheme": "https",
      "x-script-name": "/admin",
      "script-name": "/admin",
      "path-info": "/admin"
    }
    assert.deepStrictEqual(send(edge), own)
    assert.deepStrictEqual(send(edge, { trustedPeer: true }), { ...edge, ...own })
  })

  it("FWD-04 Connection cannot remove the gateway's own fields", () => {
    const sent = send({ connection: "x-auth-user-id, X-Custom, close", "x-custom": "1", "x-other": "2" })
    assert.deepStrictEqual(sent, { "x-other": "2", ...own })
  })

  it("FWD-03 forwards no other spelling of a field that the gateway sets", () => {
    for (const name of ["x-trace_id", "x_trace_id", "x-trace-id.", "x-trace-id"]) {
      assert.deepStrictEqual(send({ [name]: "evil" }), own, name)
    }
    assert.deepStrictEqual(send({ "x-trace-idx": "kept" }), { "x-trace-idx": "kept", ...own })
  })

  it("FWD-05, HTTP-12 forwards no hop-by-hop field", () => {
    for (
      const name of [
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings"
      ]
    ) {
      assert.deepStrictEqual(send({ [name]: "x" }), own, name)
    }
  })

  it("FWD-07, FWD-08, HTTP-05 forwards neither credentials nor framing", () => {
    for (const name of ["authorization", "cookie", "host", "content-length", "expect"]) {
      assert.deepStrictEqual(send({ [name]: "x" }), own, name)
    }
  })

  it("forwards Authorization when MCP_FORWARD_AUTHORIZATION says so", () => {
    assert.strictEqual(send({ authorization: "Bearer a" }, { forwardAuthorization: true })["authorization"], "Bearer a")
  })

  it("FWD-17 forwards forwarding fields only from a trusted peer", () => {
    const forwarding = {
      forwarded: "for=1.2.3.4",
      "x-forwarded-for": "1.2.3.4",
      "x-forwarded-host": "h",
      "x-forwarded-proto": "https",
      "x-real-ip": "1.2.3.4",
      "x-original-url": "/x",
      "x-rewrite-url": "/x",
      via: "1.1 a"
    }
    assert.deepStrictEqual(send(forwarding), own)
    assert.deepStrictEqual(send(forwarding, { trustedPeer: true }), { ...forwarding, ...own })
  })

  it("HTTP-11 forwards no method override", () => {
    for (const name of ["x-http-method-override", "x-method-override", "x-http-method"]) {
      assert.deepStrictEqual(send({ [name]: "DELETE" }), own, name)
    }
  })
})

describe("identityHeaders", () => {
  it("names the caller, each field once", () => {
    assert.deepStrictEqual(identityHeaders(identity), {
      "x-auth-user-id": "user_1",
      "x-auth-client-id": "client",
      "x-auth-issuer": "https://issuer.example/",
      "x-auth-scopes": "mcp:read mcp:write",
      "x-auth-email": "user@example.com",
      "x-auth-provider": "authkit"
    })
  })

  it("tells whether a person or a program calls, where that is known", () => {
    for (const principal of ["user", "client"] as const) {
      assert.strictEqual(identityHeaders({ ...identity, principal })["x-auth-principal"], principal)
    }
    assert.notProperty(identityHeaders(identity), "x-auth-principal")
  })

  it("omits what the identity does not have", () => {
    const bare = identityHeaders({ ...identity, clientId: undefined, email: undefined, scopes: [] })
    assert.deepStrictEqual(Object.keys(bare), ["x-auth-user-id", "x-auth-issuer", "x-auth-provider"])
  })

  it("FWD-10 keeps a scope with a space or comma one scope", () => {
    assert.strictEqual(identityHeaders({ ...identity, scopes: ["a b", "c,d"] })["x-auth-scopes"], "a%20b c%2Cd")
  })

  it("CLM-14 makes a non-Latin subject safe and reversible", () => {
    const value = identityHeaders({ ...identity, subject: "山田" })["x-auth-user-id"]
    assert.strictEqual(decodeURIComponent(value ?? ""), "山田")
  })

  it.effect.prop(
    "FWD-09 no claim can break a field, and decodeURIComponent gives it back",
    { claim: Schema.String },
    ({ claim }) =>
      Effect.sync(() => {
        const value = encodeFieldValue(claim)
        assert.match(value, /^[A-Za-z0-9._~:/@+|=%-]*$/)
        assert.strictEqual(decodeURIComponent(value), claim.toWellFormed())
      })
  )
})

describe("responseHeaders", () => {
  it("FW-9 drops hop-by-hop, CORS and challenge fields, and keeps the rest", () => {
    assert.deepStrictEqual(
      responseHeaders({
        "content-type": "application/json",
        "mcp-session-id": "s",
        "x-accel-buffering": "no",
        "set-cookie": ["a=1", "b=2"],
        connection: "keep-alive, x-internal",
        "x-internal": "1",
        "keep-alive": "timeout=5",
        "transfer-encoding": "chunked",
        "access-control-allow-origin": "https://evil.example",
        "www-authenticate": "Bearer resource_metadata=\"https://evil.example\""
      }),
      {
        "cache-control": "no-store",
        "content-type": "application/json",
        "mcp-session-id": "s",
        "x-accel-buffering": "no",
        "set-cookie": ["a=1", "b=2"]
      }
    )
  })

  it("tells proxies not to buffer an event stream, unless the MCP server says otherwise", () => {
    const stream = { "content-type": "text/event-stream; charset=utf-8" }
    assert.strictEqual(responseHeaders(stream)["x-accel-buffering"], "no")
    assert.strictEqual(responseHeaders({ ...stream, "x-accel-buffering": "yes" })["x-accel-buffering"], "yes")
    for (const type of ["application/json", "text/event-streams", "text/plain"]) {
      assert.notProperty(responseHeaders({ "content-type": type }), "x-accel-buffering", type)
    }
  })

  it("HTTP-16 keeps the server's own Cache-Control", () => {
    assert.deepStrictEqual(responseHeaders({ "cache-control": "no-cache" }), { "cache-control": "no-cache" })
  })
})
