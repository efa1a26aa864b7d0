import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { type AccessSettings, type AdminRequest, checkAccess } from "../../src/admin/access.ts"

const secret = "0123456789abcdef0123456789abcdef"
const open: AccessSettings = { adminToken: undefined, adminScopes: [], maxTokenBytes: 16_384 }
const withToken: AccessSettings = { ...open, adminToken: Redacted.make(secret) }
const withScopes: AccessSettings = { ...open, adminScopes: ["gateway:read"] }

const request = (
  headers: AdminRequest["headers"] = {},
  { method = "GET", peer = "127.0.0.1" }: { readonly method?: string; readonly peer?: string | undefined } = {}
): AdminRequest => ({ method, headers: { host: "127.0.0.1:9464", ...headers }, peer })

const found = (settings: AccessSettings, given: AdminRequest) => checkAccess(settings, given)._tag

const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`

describe("ADM-01 without credentials, the admin port MUST be for programs of this machine only", () => {
  it("a program on this machine may read, by each name of this machine", () => {
    for (const host of ["127.0.0.1:9464", "localhost:9464", "localhost", "[::1]:9464", "127.8.0.1", "LOCALHOST:1"]) {
      assert.strictEqual(found(open, request({ host })), "Allowed", host)
    }
    for (const peer of ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.3.2.1"]) {
      assert.strictEqual(found(open, request({}, { peer })), "Allowed", peer)
    }
  })

  it("another machine may not, regardless of its Host", () => {
    for (const peer of ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "127.0.0.1.evil.example", "", undefined]) {
      assert.strictEqual(found(open, { ...request(), peer }), "Denied", String(peer))
    }
  })

  it("a page whose name was rebound to this machine may not (DNS rebinding)", () => {
    const hosts = [
      "evil.example",
      "evil.example:9464",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "127.0.0.1@evil.example",
      "localhost:9464@evil.example",
      "app.localhost",
      "0.0.0.0:9464",
      "192.168.1.2",
      "localhost:99999",
      "localhost/",
      "localhost#",
      "",
      undefined
    ]
    for (const host of hosts) assert.strictEqual(found(open, request({ host })), "Denied", String(host))
  })

  it("a request through a proxy on this machine may not, because everyone is this machine to it", () => {
    for (const field of ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"]) {
      assert.strictEqual(found(open, request({ [field]: "10.0.0.1" })), "Denied", field)
    }
  })
})

describe("ADM-02 a page of another site MUST NOT make a browser read or post", () => {
  it("posts of other sites, of sandboxed pages, and of other ports of this machine are denied, credentials or not", () => {
    for (const settings of [open, withToken]) {
      const authorization = `Bearer ${secret}`
      const attacks: ReadonlyArray<AdminRequest["headers"]> = [
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" },
        { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
        { origin: "https://evil.example" },
        { origin: "null" },
        { origin: "http://127.0.0.1:3000" },
        { origin: "http://127.0.0.1:9464.evil.example" },
        { origin: "http://localhost:9464" }
      ]
      for (const headers of attacks) {
        const given = request({ authorization, ...headers }, { method: "POST" })
        assert.strictEqual(found(settings, given), "Denied", JSON.stringify(headers))
      }
      for (const headers of [{}, { "sec-fetch-site": "same-origin", origin: "http://127.0.0.1:9464" }]) {
        assert.strictEqual(found(settings, request({ authorization, ...headers }, { method: "POST" })), "Allowed")
      }
    }
  })

  it("scripts, images and frames of other sites are denied, and a link may be followed", () => {
    for (const dest of ["script", "image", "iframe", "empty", "object", "style"]) {
      for (const mode of ["no-cors", "cors", "navigate"]) {
        const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": mode, "sec-fetch-dest": dest }
        assert.strictEqual(found(open, request(headers)), "Denied", `${dest} ${mode}`)
      }
    }
    const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" }
    assert.strictEqual(found(open, request(link)), "Allowed")
    assert.strictEqual(found(open, request({ "sec-fetch-site": "none" })), "Allowed")
  })
})

describe("ADM-03 where credentials are configured, each request MUST have one, from this machine too", () => {
  it("the secret is accepted as a bearer token and as the password of a browser, from anywhere", () => {
    for (
      const authorization of [`Bearer ${secret}`, `bearer  ${secret}`, basic(`admin:${secret}`), basic(`:${secret}`)]
    ) {
      const given = request({ authorization, host: "gateway.internal:9464" }, { peer: "10.0.0.1" })
      assert.strictEqual(found(withToken, given), "Allowed", authorization)
    }
  })

  it("wrong, partial and missing secrets are rejected", () => {
    const attempts = [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      `Bearer ${secret}0`,
      `Bearer ${secret.slice(0, -1)}`,
      `Bearer ${secret.toUpperCase()}`,
      `Bearer ${secret} ${secret}`,
      `Digest ${secret}`,
      secret,
      basic(secret),
      basic(`${secret}:`),
      "Basic %%%",
      basic(`a:${secret}\n`)
    ]
    for (const authorization of attempts) {
      assert.strictEqual(found(withToken, request({ authorization })), "Unauthenticated", authorization)
    }
  })

  it("with scopes, anything else may be a token of a provider, as long as one may be", () => {
    const given = request({ authorization: "Bearer a.b.c" })
    assert.deepStrictEqual(checkAccess(withScopes, given), { _tag: "Offered", token: "a.b.c" })
    assert.deepStrictEqual(checkAccess({ ...withScopes, ...withToken, adminScopes: ["x"] }, given), {
      _tag: "Offered",
      token: "a.b.c"
    })
    const long = request({ authorization: `Bearer ${"a".repeat(16_385)}` })
    assert.strictEqual(found(withScopes, long), "Unauthenticated")
    assert.strictEqual(found(withScopes, request()), "Unauthenticated")
    assert.strictEqual(
      found({ ...withToken, adminScopes: ["x"] }, request({ authorization: `Bearer ${secret}` })),
      "Allowed"
    )
  })
})
