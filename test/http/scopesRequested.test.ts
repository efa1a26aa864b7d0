/** Scopes that clients must request under other names than tokens have them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { requestedScope } from "../../src/config/kinds/scopesRequested.ts"
import { requestedScopes } from "../../src/discovery/requestedScopes.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { complete, onlyProblemOf, settingsOf } from "../config/resolving.ts"
import { toolCall } from "../fixtures/messages.ts"
import { jwtProvider, staticProvider, staticToken } from "../fixtures/providers.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

describe("the scope that clients must request", () => {
  it("is the one that the map names, or the template with the scope in it", () => {
    const map = { read: "api://app/Notes.Read", "*": "api://app/{scope}" }
    assert.strictEqual(requestedScope(map, "read"), "api://app/Notes.Read")
    assert.strictEqual(requestedScope(map, "write"), "api://app/write")
    assert.strictEqual(requestedScope(map, "api://app/write"), "api://app/write")
    assert.strictEqual(requestedScope(map, "openid"), "openid")
    assert.strictEqual(requestedScope(map, "constructor"), "api://app/constructor")
    assert.strictEqual(requestedScope(map, "$&"), "api://app/$&")
    assert.strictEqual(requestedScope({ read: "r" }, "write"), "write")
  })

  it.each([
    "{}",
    "read",
    `{"read":""}`,
    `{"read":"a b"}`,
    `{"a b":"read"}`,
    `{"*":"api://app"}`,
    `{"read":"api://app/{scope}"}`,
    `{"read":["api://app/read"]}`
  ])("cannot be configured by %s", (text) => {
    assert.strictEqual(onlyProblemOf({ ...complete, MCP_SCOPES_REQUESTED: text }).setting, "MCP_SCOPES_REQUESTED")
    assert.deepStrictEqual(
      settingsOf({ ...complete, MCP_SCOPES_REQUESTED: `{"read":"api://app/read"}` }).providers[0]?.scopesRequested,
      { read: "api://app/read" }
    )
  })

  it("is that of the provider whose token the client has; without a token, that of the first it can get one from", () => {
    const issuer = { issuer: "https://one.example" }
    const providers: GatewaySettings["providers"] = [
      staticProvider([staticToken("a")], { scopesRequested: { read: "never" } }),
      jwtProvider(issuer, { name: "one", scopesRequested: { read: "one/read", write: "one/read" } }),
      jwtProvider({ issuer: "https://two.example" }, { name: "two" })
    ]
    assert.deepStrictEqual(requestedScopes({ providers }, ["read"]), ["one/read"])
    assert.deepStrictEqual(requestedScopes({ providers }, ["read", "write", "offline_access"]), ["one/read"])
    assert.deepStrictEqual(requestedScopes({ providers }, ["read"], "two"), ["read"])
    assert.deepStrictEqual(requestedScopes({ providers }, ["read"], "one"), ["one/read"])
  })
})

const post = (origin: string, body: string, bearer?: string) =>
  Effect.promise(() =>
    fetch(`${origin}/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` })
      },
      body
    })
  )

const scopeOf = (challenge: string | null) => parseChallenge(challenge ?? "").parameters.get("scope")

describe("a gateway whose provider spells scopes differently in requests", () => {
  it.live("names what clients must request in metadata, challenges and step-up, and checks what tokens have", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const upstream = yield* makeRecordingUpstream
      const own = settings(upstream.origin, {
        providers: [jwtProvider(issuer, { scopesRequested: { "*": "api://notes/{scope}" } })],
        publicUrl: "https://mcp.example.com",
        ...ruled({ rules: [{ tools: ["write_*"], scopes: ["write"] }], required_scopes: "read" }),
        scopesSupported: ["read", "write", "openid"]
      })
      const toolResult = { ...own, stepUp: "tool_result" as const }
      const token = yield* issuer.sign({ claims: { scope: "read" } })
      const qualified = yield* issuer.sign({ claims: { scope: "api://notes/read" } })
      for (
        const start of [
          (one: GatewaySettings) => Effect.map(startGateway(one), ({ origin }) => origin),
          startEffectGateway
        ]
      ) {
        const origin = yield* start(own)
        const metadata = yield* Effect.promise(async () =>
          (await fetch(`${origin}/.well-known/oauth-protected-resource`)).json()
        )
        assert.deepStrictEqual(metadata.scopes_supported, ["api://notes/read", "api://notes/write", "openid"])
        const unauthenticated = yield* post(origin, toolCall("hello"))
        assert.strictEqual(unauthenticated.status, 401)
        assert.strictEqual(scopeOf(unauthenticated.headers.get("www-authenticate")), "api://notes/read")
        const missing = yield* post(origin, toolCall("write_note"), token)
        assert.strictEqual(missing.status, 403)
        assert.strictEqual(scopeOf(missing.headers.get("www-authenticate")), "api://notes/read api://notes/write")
        assert.strictEqual((yield* post(origin, toolCall("hello"), token)).status, 200)
        // A token with the other spelling has another scope.
        assert.strictEqual((yield* post(origin, toolCall("hello"), qualified)).status, 403)
        const stepUp = yield* post(yield* start(toolResult), toolCall("write_note"), token)
        const { result } = yield* Effect.promise(() => stepUp.json())
        assert.strictEqual(
          scopeOf(result._meta["mcp/www_authenticate"][0]),
          "api://notes/read api://notes/write"
        )
      }
    }))
})
