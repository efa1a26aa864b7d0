/** Claims that the MCP server gets in fields of their own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeClaimHeaders } from "../../src/forward/claimHeaders.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { complete, onlyProblemOf, settingsOf } from "../config/resolving.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"

const identity = (claims: Identity["claims"]): Identity => ({
  subject: "user-1",
  clientId: undefined,
  issuer: "https://issuer.example",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "main",
  expiresAt: undefined,
  claims
})

const forwarded = [
  { claim: "groups", field: "x-auth-groups" },
  { claim: "realm_access.roles", field: "x-auth-roles" },
  { claim: "tid", field: "x-tenant" }
]

const headersOf = (claims: Identity["claims"]) => makeClaimHeaders(forwarded)(identity(claims))

describe("the fields of forwarded claims", () => {
  it("contain strings, numbers, booleans and lists of them, and nothing else", () => {
    assert.deepStrictEqual(headersOf({ groups: ["a", "b c", "d,e"], tid: 7, realm_access: { roles: "admin" } }), {
      "x-auth-groups": "a b%20c d%2Ce",
      "x-auth-roles": "admin",
      "x-tenant": "7"
    })
    assert.deepStrictEqual(headersOf({ tid: true }), { "x-tenant": "true" })
    assert.deepStrictEqual(headersOf({ tid: { id: 1 }, groups: ["a", { b: 1 }], realm_access: "admin" }), {})
    assert.deepStrictEqual(headersOf({ tid: "", groups: [], realm_access: { roles: null } }), {})
    assert.deepStrictEqual(headersOf({ tid: Number.POSITIVE_INFINITY }), {})
    assert.deepStrictEqual(headersOf({ constructor: "x" }), {})
  })

  it("cannot end a field, or begin another one", () => {
    for (const evil of ["a\r\nx-admin: 1", "a\nb", "ü", "\u0000", "a\u2028b", "%0d%0a"]) {
      const value = headersOf({ tid: evil })["x-tenant"] ?? assert.fail("no field")
      assert.match(value, /^[A-Za-z0-9._~:/@+|=%-]+$/)
      assert.strictEqual(decodeURIComponent(value), evil)
    }
  })

  it("are left out as a whole if they are too long, one by one and together", () => {
    const long = "x".repeat(4096)
    assert.deepStrictEqual(headersOf({ tid: `${long}x`, groups: ["a"] }), { "x-auth-groups": "a" })
    assert.deepStrictEqual(Object.keys(headersOf({ groups: [long], realm_access: { roles: [long] }, tid: "t" })), [
      "x-auth-groups",
      "x-auth-roles"
    ])
    assert.deepStrictEqual(headersOf({ groups: Array.from({ length: 3000 }, (_, index) => `group-${index}`) }), {})
  })
})

const read = (value: Readonly<Record<string, string>>) => ({ ...complete, MCP_FORWARD_CLAIMS: JSON.stringify(value) })

describe("MCP_FORWARD_CLAIMS", () => {
  it("names claims and fields, for the gateway or for one of its servers", () => {
    const { forwardClaims } = settingsOf(read({ groups: "X-Auth-Groups", "https://notes.example/plan": "x-plan" }))
    assert.deepStrictEqual(forwardClaims, [
      { claim: "groups", field: "x-auth-groups" },
      { claim: "https://notes.example/plan", field: "x-plan" }
    ])
    const { servers } = settingsOf({}, {
      public_url: "https://mcp.example.com",
      providers: [{ issuer: "https://issuer.example", audience: "auto" }],
      forward_claims: { groups: "x-auth-groups" },
      servers: [
        { name: "one", path: "/one", url: "http://127.0.0.1:8081/mcp" },
        { name: "two", path: "/two", url: "http://127.0.0.1:8082/mcp", forward_claims: { tid: "x-auth-tenant" } }
      ]
    })
    assert.deepStrictEqual(servers.map(({ forwardClaims }) => forwardClaims), [
      [{ claim: "groups", field: "x-auth-groups" }],
      [{ claim: "tid", field: "x-auth-tenant" }]
    ])
  })

  it.each([
    "x-auth-user-id",
    "X-Auth-Scopes",
    "authorization",
    "cookie",
    "proxy-authorization",
    "host",
    "content-length",
    "transfer-encoding",
    "mcp-session-id",
    "traceparent",
    "x-forwarded-for",
    "x-real-ip",
    "x-http-method-override",
    "x-auth_groups",
    "x-auth groups",
    "x-auth-groups\r\nx-admin",
    "x-",
    "groups",
    ""
  ])("cannot fill the field %j", (field) => {
    assert.strictEqual(onlyProblemOf(read({ groups: field })).setting, "MCP_FORWARD_CLAIMS")
  })

  it("reports what is not a map from claims to fields", () => {
    for (
      const text of [
        "groups=x-auth-groups",
        "[]",
        "{}",
        "null",
        `{"groups":1}`,
        `{"a..b":"x-a"}`,
        `{"a":"x-a","b":"X-A"}`
      ]
    ) {
      assert.strictEqual(onlyProblemOf({ ...complete, MCP_FORWARD_CLAIMS: text }).setting, "MCP_FORWARD_CLAIMS")
    }
  })
})

describe("a gateway that forwards claims", () => {
  const start = Effect.gen(function*() {
    const issuer = yield* TestIssuer.make()
    const fixture = yield* GatewayFixture.over(({ origin }) =>
      Effect.succeed({
        settings: settings(`${origin}/mcp`, {
          providers: [jwtProvider(issuer)],
          forwardClaims: forwarded,
          ...ruled({ rules: [{ methods: ["ping"], allow: "anyone" }] })
        }),
        token: "none"
      })
    )
    return { issuer, ...fixture }
  })

  it.live("sends them, and removes what clients send under their names, for every caller", () =>
    Effect.gen(function*() {
      const { forwarded, issuer, reset } = yield* start
      const lines = [
        "X-Auth-Groups: admins",
        "x_auth_groups: admins",
        "X-Tenant: evil",
        "x.tenant: evil",
        "X-Kept: yes"
      ]
      const authorization = `Bearer ${yield* issuer.sign({ claims: { groups: ["staff"], tid: "t-1" } })}`
      const own = yield* forwarded({ authorization, lines })
      assert.deepStrictEqual(own.headers("x-auth-groups"), ["staff"])
      assert.deepStrictEqual(own.headers("x-tenant"), ["t-1"])
      assert.deepStrictEqual(own.headers("x-kept"), ["yes"])
      assert.notInclude(JSON.stringify(own.rawHeaders), "admins")
      assert.notInclude(JSON.stringify(own.rawHeaders), "evil")
      const without = `Bearer ${yield* issuer.sign()}`
      for (const caller of [without, null]) {
        yield* reset
        const { headers, rawHeaders } = yield* forwarded({ authorization: caller, lines })
        assert.deepStrictEqual(headers("x-kept"), ["yes"])
        assert.notMatch(JSON.stringify(rawHeaders), /admins|evil|x-auth-groups|x-tenant/)
      }
    }))
})
