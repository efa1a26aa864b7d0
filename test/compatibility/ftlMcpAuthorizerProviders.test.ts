import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { assertRejected } from "../support/assertRejected.ts"
import {
  bearer,
  curl,
  documentOf,
  problemOf,
  type Replacement,
  settingsOf,
  startReplacement,
  type Variables
} from "./predecessor.ts"

/** The document's generic provider. */
const genericExample = {
  auth_provider_type: "oidc",
  auth_provider_name: "auth0",
  auth_provider_issuer: "https://your-domain.auth0.com",
  auth_provider_jwks_uri: "https://your-domain.auth0.com/.well-known/jwks.json",
  auth_provider_audience: "your-api-audience",
  auth_provider_authorize_endpoint: "https://your-domain.auth0.com/authorize",
  auth_provider_token_endpoint: "https://your-domain.auth0.com/oauth/token",
  auth_provider_userinfo_endpoint: "https://your-domain.auth0.com/userinfo",
  auth_provider_allowed_domains: "*.auth0.com"
} as const

describe("FTL MCP Authorizer, provider settings", () => {
  it.effect("FTL MCP Authorizer \"AuthKit Provider\": issuer, and everything else follows", () =>
    Effect.gen(function*() {
      const settings = yield* settingsOf({
        auth_provider_type: "authkit",
        auth_provider_issuer: "https://your-domain.authkit.app",
        auth_provider_audience: "your-api-audience"
      })
      assert.isTrue(settings.authEnabled, "authentication is on unless it is switched off")
      assert.deepInclude<unknown>(settings.providers[0], {
        type: "authkit",
        name: "authkit",
        issuer: "https://your-domain.authkit.app",
        audience: ["your-api-audience"],
        keys: { _tag: "Jwks", uri: "https://your-domain.authkit.app/oauth2/jwks" }
      })
    }))

  it.effect("FTL MCP Authorizer \"HTTPS Only: Provider URLs must use HTTPS\": all at once", () =>
    Effect.gen(function*() {
      const urls = [
        "auth_provider_issuer",
        "auth_provider_jwks_uri",
        "auth_provider_authorize_endpoint",
        "auth_provider_token_endpoint",
        "auth_provider_userinfo_endpoint"
      ] as const
      const plain: Record<string, string> = { ...genericExample }
      for (const name of urls) plain[name] = genericExample[name].replace("https://", "http://")
      const lines = (yield* problemOf(plain)).split("\n")
      for (const name of urls) {
        assert.lengthOf(lines.filter((line) => line.includes(name) && line.includes("is an http URL")), 1, name)
      }
      yield* settingsOf(genericExample)
      const { providers } = yield* settingsOf({
        auth_provider_type: "authkit",
        auth_provider_issuer: "your-domain.authkit.app"
      })
      assert.deepInclude<unknown>(providers[0], { issuer: "https://your-domain.authkit.app" })
    }))

  it.effect("FTL MCP Authorizer \"auth_provider_allowed_domains\": every provider URL is held to them, at a label boundary", () =>
    Effect.gen(function*() {
      for (const host of ["keys.example.net", "evilauth0.com", "auth0.com.evil.example", "auth0.com"]) {
        const mistake = yield* problemOf({ ...genericExample, auth_provider_jwks_uri: `https://${host}/jwks.json` })
        assert.include(mistake, "auth_provider_jwks_uri")
        assert.include(mistake, "allowed domains")
      }
      yield* settingsOf({
        ...genericExample,
        auth_provider_jwks_uri: "https://keys.example.net/jwks.json",
        auth_provider_allowed_domains: "*.auth0.com, keys.example.net"
      })
    }))

  it.effect("FTL MCP Authorizer \"No authentication providers configured\": the start fails and says what is missing", () =>
    Effect.gen(function*() {
      const mistake = yield* problemOf({ auth_enabled: "true" })
      assert.include(mistake, "No authentication providers configured")
      const unknown = yield* problemOf({ ...genericExample, auth_provider_type: "auth0" })
      assert.include(unknown, "auth_provider_type")
      assert.include(unknown, "authkit")
      assert.include(unknown, "oidc")
    }))

  it.effect("FTL MCP Authorizer \"Check all required provider variables are set\"", () =>
    Effect.gen(function*() {
      for (const type of ["authkit", "oidc"]) {
        const mistake = yield* problemOf({ auth_provider_type: type })
        assert.include(mistake, `MCP_JWT_ISSUER: is missing; a provider of type ${type} needs it`)
      }
    }))
})

/** The document's generic provider with a loopback issuer in place of Auth0. */
const generic = (issuer: TestIssuer["Service"], mcpGateway: string): Variables => ({
  auth_enabled: "true",
  auth_gateway_url: mcpGateway,
  auth_provider_type: "oidc",
  auth_provider_name: "auth0",
  auth_provider_issuer: issuer.issuer,
  auth_provider_jwks_uri: `${issuer.issuer}/jwks`,
  auth_provider_audience: "your-api-audience",
  auth_provider_authorize_endpoint: `${issuer.issuer}/authorize`,
  auth_provider_token_endpoint: `${issuer.issuer}/oauth/token`,
  auth_provider_userinfo_endpoint: `${issuer.issuer}/userinfo`,
  auth_provider_allowed_domains: "*.auth0.com, 127.0.0.1"
})

const names = ["authkit", "auth0", "okta"] as const

/** Three issuers that one gateway trusts, the document's "AuthKit, Auth0, Okta". */
class Providers extends Context.Service<Providers, {
  readonly authkit: TestIssuer["Service"]
  readonly auth0: TestIssuer["Service"]
  readonly okta: TestIssuer["Service"]
  readonly system: Replacement
}>()("mcp-authorizer/test/compatibility/ftlMcpAuthorizerProviders.test/Providers") {
  static readonly layer = Layer.effect(
    Providers,
    Effect.gen(function*() {
      const issuer = TestIssuer.make({ audience: "your-api-audience" })
      const issuers = { authkit: yield* issuer, auth0: yield* issuer, okta: yield* issuer }
      yield* issuers.okta.misbehave("/jwks", Misbehaviour.Respond({ status: 500 }), Infinity)
      const system = yield* startReplacement((mcpGateway) => ({
        auth_enabled: "true",
        auth_gateway_url: mcpGateway,
        MCP_PROVIDERS: JSON.stringify([
          { type: "authkit", issuer: issuers.authkit.issuer, audience: "your-api-audience" },
          { type: "oidc", name: "auth0", issuer: issuers.auth0.issuer, audience: "your-api-audience" },
          {
            type: "oidc",
            name: "okta",
            issuer: issuers.okta.issuer,
            jwks_uri: `${issuers.okta.issuer}/jwks`,
            audience: "your-api-audience"
          }
        ])
      }), yield* issuers.authkit.sign())
      return { ...issuers, system }
    })
  )
}

layer(Providers.layer, { excludeTestServices: true })("FTL MCP Authorizer, providers at work", (it) => {
  it.effect("FTL MCP Authorizer \"Generic OIDC Provider\": keys from auth_provider_jwks_uri, the rest in the metadata", () =>
    Effect.gen(function*() {
      const { auth0 } = yield* Providers
      const before = yield* auth0.hits("/jwks")
      const system = yield* startReplacement((mcpGateway) => generic(auth0, mcpGateway), yield* auth0.sign())
      const request = yield* system.forwarded()
      assert.deepStrictEqual(request.headers("x-auth-provider"), ["auth0"])
      assert.strictEqual((yield* auth0.hits("/jwks")) - before, 1)
      const server = yield* curl(system, { target: "/.well-known/oauth-authorization-server" })
      assert.deepInclude(documentOf(server), {
        issuer: auth0.issuer,
        authorization_endpoint: `${auth0.issuer}/authorize`,
        token_endpoint: `${auth0.issuer}/oauth/token`,
        userinfo_endpoint: `${auth0.issuer}/userinfo`,
        jwks_uri: `${auth0.issuer}/jwks`
      })
    }))

  it.effect("FTL MCP Authorizer \"Validates tokens from any OIDC-compliant provider\": the issuer alone, by its own metadata", () =>
    Effect.gen(function*() {
      const { auth0 } = yield* Providers
      const system = yield* startReplacement((mcpGateway) => ({
        auth_gateway_url: mcpGateway,
        auth_provider_type: "oidc",
        auth_provider_issuer: auth0.issuer
      }), yield* auth0.sign())
      yield* system.forwarded()
      const server = yield* curl(system, { target: "/.well-known/oauth-authorization-server" })
      assert.deepInclude(documentOf(server), { issuer: auth0.issuer, jwks_uri: auth0.jwksUri })
    }))

  it.effect("FTL MCP Authorizer \"auth_provider_allowed_domains\": a provider's metadata cannot lead elsewhere", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      const elsewhere = issuer.jwksUri.replace("127.0.0.1", "localhost")
      const metadata = JSON.stringify({ issuer: issuer.issuer, jwks_uri: elsewhere })
      yield* issuer.misbehave("/.well-known/openid-configuration", Misbehaviour.Respond({ body: metadata }), Infinity)
      const variables = (mcpGateway: string) => ({
        auth_gateway_url: mcpGateway,
        auth_provider_type: "oidc",
        auth_provider_issuer: issuer.issuer
      })
      const token = yield* issuer.sign()
      const held = yield* startReplacement(
        (url) => ({ ...variables(url), auth_provider_allowed_domains: "127.0.0.1" }),
        token
      )
      const response = yield* curl(held, { method: "POST", authorization: bearer(token) })
      assert.strictEqual(response.status, 500)
      assert.strictEqual(yield* issuer.hits("/oauth2/jwks"), 0)
      assert.lengthOf(held.upstream.requests(), 0)

      const free = yield* startReplacement(variables, token)
      yield* free.forwarded()
      assert.strictEqual(yield* issuer.hits("/oauth2/jwks"), 1)
    }))

  it.effect("FTL MCP Authorizer \"Configure multiple providers (AuthKit, Auth0, Okta, etc.)\": each vouches for its own", () =>
    Effect.gen(function*() {
      const { system, ...issuers } = yield* Providers
      for (const name of ["authkit", "auth0"] as const) {
        const request = yield* system.forwarded({ authorization: bearer(yield* issuers[name].sign()) })
        assert.deepStrictEqual(request.headers("x-auth-provider"), [name])
        assert.deepStrictEqual(request.headers("x-auth-issuer"), [issuers[name].issuer])
      }
      const resource = documentOf(yield* curl(system, { target: "/.well-known/oauth-protected-resource" }))
      assert.deepInclude(resource, { authorization_servers: names.map((name) => issuers[name].issuer) })
    }))

  it.effect("FTL MCP Authorizer \"multiple providers\": none can speak for another", () =>
    Effect.gen(function*() {
      const { auth0, authkit, system } = yield* Providers
      const forged = bearer(yield* auth0.sign({ claims: { iss: authkit.issuer } }))
      yield* assertRejected(system, { authorization: forged }, { status: 401, error: "invalid_token" })
    }))

  it.effect("FTL MCP Authorizer \"multiple providers\": the outage of one is not that of the others", () =>
    Effect.gen(function*() {
      const { okta, system } = yield* Providers
      const authorization = bearer(yield* okta.sign())
      yield* assertRejected(system, { authorization }, { status: 500, error: "server_error" })
    }))
})
