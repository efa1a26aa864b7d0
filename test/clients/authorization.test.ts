import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { errorStyles } from "../../src/config/GatewaySettings.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { officialServerV1 } from "../support/OfficialServerV1.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { makeOidcProvider, type OidcProvider } from "../support/OidcProvider.ts"
import { clients } from "./clients.ts"
import { httpStatus } from "./httpStatus.ts"
import { protectResource } from "./protectResource.ts"

const scopes = { requiredScopes: ["mcp:read"], scopesSupported: ["mcp:read", "mcp:write"] }

/** An authorization server, and MCP servers behind gateways that trust it. */
class Peers extends Context.Service<Peers, {
  readonly provider: OidcProvider
  readonly v1: string
  /** One gateway for each dialect, all in front of one server. */
  readonly v2: Readonly<Record<(typeof errorStyles)[number], string>>
}>()("mcp-authorizer/test/clients/authorization/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const provider = yield* makeOidcProvider()
      const { url } = yield* officialServerV2
      const inStyle = (errorStyle: (typeof errorStyles)[number]) =>
        protectResource(url, provider.issuer, { ...scopes, errorStyle })
      return {
        provider,
        v1: yield* protectResource((yield* officialServerV1).url, provider.issuer, scopes),
        v2: {
          oauth: yield* inStyle("oauth"),
          unauthorized: yield* inStyle("unauthorized"),
          jsonrpc: yield* inStyle("jsonrpc"),
          rfc6750: yield* inStyle("rfc6750")
        }
      }
    })
  )
}

const asked = (authorization: URL | undefined, name: string): string | undefined =>
  authorization?.searchParams.get(name) ?? undefined

const wordsOf = (text: string | undefined): ReadonlyArray<string> => text?.split(" ") ?? []

layer(Peers.layer, { excludeTestServices: true })("clients that get their own authorization", (it) => {
  for (const [clientName, connect] of clients) {
    describe(`${clientName} through the gateway`, () => {
      for (const style of [...errorStyles, "server 1.x"] as const) {
        it.effect(`CH-18 finds the provider, registers, is authorized and gets in (${style})`, () =>
          Effect.gen(function*() {
            const { provider, v1, v2 } = yield* Peers
            const resource = style === "server 1.x" ? v1 : v2[style]
            const oauth = new HeadlessOAuthClient()
            const registered = provider.registrations()
            const client = yield* connect(resource, { oauth })

            assert.strictEqual(provider.registrations(), registered + 1)
            assert.lengthOf(oauth.authorizations, 1)
            const [authorization] = oauth.authorizations
            assert.strictEqual(authorization?.origin, provider.issuer)
            assert.strictEqual(asked(authorization, "resource"), resource)
            assert.strictEqual(asked(authorization, "code_challenge_method"), "S256")
            // Only from the challenge can the client know of the metadata at the root.
            const { origin } = new URL(resource)
            assert.strictEqual(
              oauth.discoveryState()?.resourceMetadataUrl,
              `${origin}/.well-known/oauth-protected-resource${style === "rfc6750" ? "/mcp" : ""}`
            )
            // The challenge names what every request needs, so that the client does not ask for all that is supported.
            assert.deepStrictEqual(
              wordsOf(asked(authorization, "scope")).filter((scope) => scope !== "offline_access"),
              scopes.requiredScopes
            )
            assert.deepStrictEqual(JSON.parse(yield* client.call("whoami")), {
              "x-auth-user-id": "oidc-user",
              "x-auth-client-id": oauth.clientInformation()?.client_id,
              "x-auth-issuer": provider.issuer,
              "x-auth-scopes": "mcp:read",
              "x-auth-email": "user@example.com",
              "x-auth-provider": "main",
              "x-auth-principal": "user"
            })
          }))
      }

      it.effect("CH-7 is rejected with the token of another resource of the same provider", () =>
        Effect.gen(function*() {
          const { v1, v2 } = yield* Peers
          const oauth = new HeadlessOAuthClient()
          yield* connect(v1, { oauth })
          const headers = { authorization: `Bearer ${oauth.tokens()?.access_token}` }
          assert.isString((yield* connect(v1, { headers })).serverName())
          assert.strictEqual(httpStatus(yield* Effect.flip(connect(v2.oauth, { headers }))), 401)
        }))

      it.effect("renews a token that is rejected in the middle of a session, without asking its user", () =>
        Effect.gen(function*() {
          const { v1, v2 } = yield* Peers
          for (const resource of [v1, v2.oauth]) {
            const oauth = new HeadlessOAuthClient()
            const client = yield* connect(resource, { oauth })
            const tokens = oauth.tokens()
            assert.isString(tokens?.refresh_token)
            const good = tokens?.access_token ?? ""
            const spoiled = good.slice(0, good.lastIndexOf(".")) + ".c2lnbmF0dXJl"
            oauth.saveTokens({ token_type: "Bearer", ...tokens, access_token: spoiled })
            assert.strictEqual(yield* client.call("echo", { message: "renewed" }), "renewed")
            assert.notInclude([good, spoiled], oauth.tokens()?.access_token)
            assert.lengthOf(oauth.authorizations, 1)
          }
        }))
    })
  }
})
