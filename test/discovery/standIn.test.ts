/** Metadata of the gateway's own for a provider whose document clients cannot use. */
import { assert, describe, it } from "@effect/vitest"
import * as v2 from "@modelcontextprotocol/client"
import * as v1 from "@modelcontextprotocol/sdk/client/auth.js"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { onlyProblemOf, problemsOf, settingsOf } from "../config/resolving.ts"
import { jwtProvider, tokeninfoProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"
import { serveDocuments } from "../support/documentServer.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { reservePort } from "../support/reservePort.ts"

const publicUrl = "https://mcp.example.com"

/** Like Entra's: no PKCE, no registration, no word about clients without a secret. */
const documentOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/oauth2/v2.0/authorize`,
  token_endpoint: `${issuer}/oauth2/v2.0/token`,
  device_authorization_endpoint: `${issuer}/oauth2/v2.0/devicecode`,
  jwks_uri: `${issuer}/keys`,
  userinfo_endpoint: "https://graph.example.com/oidc/userinfo",
  introspection_endpoint: `${issuer}/introspect`,
  end_session_endpoint: `${issuer}/logout`,
  registration_endpoint: null,
  response_types_supported: ["code", "id_token", "code id_token"],
  token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt"],
  code_challenge_methods_supported: null,
  id_token_signing_alg_values_supported: ["RS256"],
  subject_types_supported: ["pairwise"],
  scopes_supported: ["openid"]
})

const setUp = Effect.fnUntraced(function*(changes: Readonly<Record<string, unknown>> = {}) {
  const provider = yield* serveDocuments((origin) => ({
    "/.well-known/openid-configuration": { ...documentOf(origin), ...changes }
  }))
  const own = settings("http://127.0.0.1:9/mcp", {
    publicUrl,
    scopesSupported: ["read"],
    providers: [
      jwtProvider({ issuer: provider.origin }, { standInMetadata: true, scopesRequested: { read: "api://notes/read" } })
    ]
  })
  return { provider, own }
})

const get = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url, { redirect: "manual" })
    return { status: response.status, body: await response.json() }
  })

const starts = {
  node: (own: GatewaySettings) => Effect.map(startGateway(own), ({ origin }) => origin),
  effect: startEffectGateway
}

describe("metadata of the gateway's own", () => {
  for (const [driver, start] of Object.entries(starts)) {
    it.live(`lead clients from the gateway to the provider's endpoints, and name no other issuer: ${driver}`, () =>
      Effect.gen(function*() {
        const { own, provider } = yield* setUp()
        const origin = yield* start(own)
        const resource = yield* get(`${origin}/.well-known/oauth-protected-resource`)
        assert.deepStrictEqual(resource.body.authorization_servers, [publicUrl])
        const { body, status } = yield* get(`${origin}/.well-known/oauth-authorization-server`)
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(body, {
          issuer: publicUrl,
          authorization_endpoint: `${provider.origin}/oauth2/v2.0/authorize`,
          token_endpoint: `${provider.origin}/oauth2/v2.0/token`,
          device_authorization_endpoint: `${provider.origin}/oauth2/v2.0/devicecode`,
          response_types_supported: ["code"],
          response_modes_supported: ["query"],
          grant_types_supported: ["authorization_code", "refresh_token"],
          code_challenge_methods_supported: ["S256"],
          token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt"],
          scopes_supported: ["api://notes/read"]
        })
        // It is about ID tokens, which would have another issuer.
        assert.strictEqual((yield* get(`${origin}/.well-known/openid-configuration`)).status, 404)
      }))
  }

  it.live("are what the official clients look for, from the URL of the MCP server on", () =>
    Effect.gen(function*() {
      const { own, provider } = yield* setUp()
      const port = yield* reservePort
      const origin = `http://127.0.0.1:${port}`
      yield* startGateway({ ...own, port, publicUrl: origin })
      for (const sdk of [v1, v2]) {
        const found = yield* Effect.promise(async () => {
          const resource = await sdk.discoverOAuthProtectedResourceMetadata(`${origin}/mcp`)
          const [server = ""] = resource.authorization_servers ?? []
          return { server, metadata: await sdk.discoverAuthorizationServerMetadata(server) }
        })
        assert.strictEqual(found.server, origin)
        assert.strictEqual(found.metadata?.issuer, origin)
        assert.strictEqual(found.metadata?.token_endpoint, `${provider.origin}/oauth2/v2.0/token`)
        assert.deepStrictEqual(found.metadata?.code_challenge_methods_supported, ["S256"])
      }
    }))

  it.live("keep what the provider says about PKCE and registration", () =>
    Effect.gen(function*() {
      const { own, provider } = yield* setUp({
        registration_endpoint: "https://idp.example.com/register",
        code_challenge_methods_supported: ["plain", "S256"]
      })
      const { body } = yield* get(`${yield* starts.node(own)}/.well-known/oauth-authorization-server`)
      assert.strictEqual(body.registration_endpoint, "https://idp.example.com/register")
      assert.deepStrictEqual(body.code_challenge_methods_supported, ["plain", "S256"])
      const noPkce = settings("http://127.0.0.1:9/mcp", {
        publicUrl,
        providers: [jwtProvider({ issuer: provider.origin }, { standInMetadata: true, assumePkce: false })]
      })
      provider.places["/.well-known/openid-configuration"] = documentOf(provider.origin)
      const other = yield* get(`${yield* starts.node(noPkce)}/.well-known/oauth-authorization-server`)
      assert.notInclude(Object.keys(other.body), "code_challenge_methods_supported")
    }))

  it.live("are made of configured endpoints, and for every type of provider that has metadata", () =>
    Effect.gen(function*() {
      const { provider } = yield* setUp()
      const configured = settings("http://127.0.0.1:9/mcp", {
        publicUrl,
        providers: [
          jwtProvider({ issuer: "https://down.example" }, {
            standInMetadata: true,
            endpoints: {
              authorize: "https://a.example/authorize",
              token: "https://a.example/token",
              userinfo: undefined
            }
          })
        ]
      })
      const { body } = yield* get(`${yield* starts.node(configured)}/.well-known/oauth-authorization-server`)
      assert.deepInclude(body, { issuer: publicUrl, token_endpoint: "https://a.example/token" })
      const opaque = settings("http://127.0.0.1:9/mcp", {
        publicUrl,
        providers: [
          tokeninfoProvider(`${provider.origin}/tokeninfo`, { issuer: provider.origin, standInMetadata: true })
        ]
      })
      const described = yield* get(`${yield* starts.node(opaque)}/.well-known/oauth-authorization-server`)
      assert.deepInclude(described.body, { issuer: publicUrl, token_endpoint: `${provider.origin}/oauth2/v2.0/token` })
    }))

  it.live("are those of the provider that has them, wherever it is in the list", () =>
    Effect.gen(function*() {
      const { own, provider } = yield* setUp()
      const origin = yield* starts.node({
        ...own,
        providers: [jwtProvider({ issuer: "https://other.example" }, { name: "other" }), ...own.providers]
      })
      const { body } = yield* get(`${origin}/.well-known/oauth-protected-resource`)
      assert.deepStrictEqual(body.authorization_servers, ["https://other.example", publicUrl])
      const metadata = yield* get(`${origin}/.well-known/oauth-authorization-server`)
      assert.strictEqual(metadata.body.authorization_endpoint, `${provider.origin}/oauth2/v2.0/authorize`)
    }))

  it.live("fail clearly where clients could not use them", () =>
    Effect.gen(function*() {
      for (
        const [changes, detail] of [
          [{ authorization_response_iss_parameter_supported: true }, "RFC 9207"],
          [{ token_endpoint: undefined }, "the provider's metadata have no token_endpoint"],
          [{ issuer: "https://other.example" }, "it names the issuer"]
        ] as const
      ) {
        const { own } = yield* setUp(changes)
        const capture = yield* Layer.build(LogCapture.layer)
        const { origin } = yield* startGateway(own, { logger: Layer.succeedContext(capture) })
        const { body, status } = yield* get(`${origin}/.well-known/oauth-authorization-server`)
        assert.strictEqual(status, 500)
        assert.strictEqual(body.error, "server_error")
        assert.notInclude(JSON.stringify(body), detail)
        const { entries } = yield* Effect.provideContext(LogCapture, capture)
        assert.include(JSON.stringify(entries()), detail)
      }
    }))
})

const both = (...providers: ReadonlyArray<object>) =>
  problemsOf({}, { public_url: publicUrl, session_key: "k".repeat(44), providers }).map(({ setting }) => setting)

describe("MCP_STAND_IN_METADATA", () => {
  const oidc = { MCP_JWT_ISSUER: "https://issuer.example", MCP_JWT_AUDIENCE: "a", MCP_STAND_IN_METADATA: "true" }

  it("needs the public URL", () => {
    assert.strictEqual(onlyProblemOf(oidc).setting, "MCP_PUBLIC_URL")
    const { providers } = settingsOf({ ...oidc, MCP_PUBLIC_URL: publicUrl })
    assert.isTrue(providers[0]?.standInMetadata)
  })

  it("is for one provider of an MCP server, without a facade", () => {
    const provider = { issuer: "https://issuer.example", audience: "a", stand_in_metadata: true }
    const facade = { client_id: "c", client_auth: "none", redirect_uris: ["http://127.0.0.1/callback"] }
    const other = { ...provider, name: "other", issuer: "https://other.example" }
    assert.deepStrictEqual(both(provider, other), ["MCP_PROVIDERS"])
    assert.deepStrictEqual(both(provider, { ...other, stand_in_metadata: false, facade }), ["MCP_PROVIDERS"])
    assert.deepStrictEqual(both({ ...provider, facade }), ["MCP_PROVIDERS[0].stand_in_metadata"])
  })

  it("has no use for static tokens", () => {
    const problem = onlyProblemOf({}, { providers: [{ type: "static", tokens: "t:c:s:", stand_in_metadata: true }] })
    assert.strictEqual(problem.setting, "MCP_PROVIDERS[0].stand_in_metadata")
  })
})
