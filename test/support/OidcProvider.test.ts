import { assert, describe, it } from "@effect/vitest"
import { auth as authV2 } from "@modelcontextprotocol/client"
import { auth as authV1 } from "@modelcontextprotocol/sdk/client/auth.js"
import * as Effect from "effect/Effect"
import { createRemoteJWKSet, jwtVerify } from "jose"
import { HeadlessOAuthClient } from "./HeadlessOAuthClient.ts"
import { connectV1, connectV2, type OfficialClientOptions } from "./OfficialClients.ts"
import { makeOidcProvider } from "./OidcProvider.ts"
import { makeRecordingUpstream } from "./RecordingUpstream.ts"
import * as responses from "./upstreamResponses.ts"

/** A protected MCP server that takes any token. */
const makeResource = Effect.fnUntraced(function*(issuer: string) {
  const upstream = yield* makeRecordingUpstream
  const resource = `${upstream.origin}/mcp`
  const metadata = { resource, authorization_servers: [issuer], scopes_supported: ["mcp:read"] }
  const challenge = `Bearer resource_metadata="${upstream.origin}/.well-known/oauth-protected-resource/mcp"`
  yield* upstream.respondWith((request, response) => {
    const reply = request.url === "/mcp"
      ? request.headers("authorization").length > 0 ? responses.jsonRpc : responses.challenge(challenge)
      : request.url === "/.well-known/oauth-protected-resource/mcp"
      ? responses.respond({ headers: { "content-type": "application/json" }, body: JSON.stringify(metadata) })
      : responses.respond({ status: 404 })
    return reply(request, response)
  })
  return resource
})

const flows = [
  ["client 1.x", (client: HeadlessOAuthClient, serverUrl: string, callback?: URLSearchParams) =>
    authV1(client, {
      serverUrl,
      ...(callback === undefined ? {} : { authorizationCode: callback.get("code") ?? "" })
    })],
  ["client 2.x", (client: HeadlessOAuthClient, serverUrl: string, callback?: URLSearchParams) =>
    authV2(client, {
      serverUrl,
      ...(callback === undefined
        ? {}
        : { authorizationCode: callback.get("code") ?? "", iss: callback.get("iss") ?? "" })
    })]
] as const

const clients = [
  ["client 1.x", connectV1],
  ["client 2.x legacy", (url: string, options: OfficialClientOptions) => connectV2(url, "legacy", options)],
  ["client 2.x auto", (url: string, options: OfficialClientOptions) => connectV2(url, "auto", options)]
] as const

describe("OidcProvider", () => {
  for (const [name, flow] of flows) {
    it.effect(`gives ${name} a token for the resource, and another for its refresh token`, () =>
      Effect.gen(function*() {
        const { issuer, jwksUri, registrations } = yield* makeOidcProvider()
        const resource = yield* makeResource(issuer)
        const client = new HeadlessOAuthClient()
        assert.strictEqual(yield* Effect.promise(() => flow(client, resource)), "REDIRECT")
        assert.strictEqual(registrations(), 1)
        const callback = client.takeCallback()
        assert.strictEqual(yield* Effect.promise(() => flow(client, resource, callback)), "AUTHORIZED")

        const keys = createRemoteJWKSet(new URL(jwksUri))
        const verify = () =>
          Effect.promise(() =>
            jwtVerify(client.tokens()?.access_token ?? "", keys, {
              issuer,
              audience: resource,
              algorithms: ["RS256"],
              typ: "at+jwt"
            })
          )
        const first = yield* verify()
        assert.deepInclude(first.payload, { sub: "oidc-user", scope: "mcp:read", email: "user@example.com" })

        assert.isString(client.tokens()?.refresh_token)
        assert.strictEqual(yield* Effect.promise(() => flow(client, resource)), "AUTHORIZED")
        const second = yield* verify()
        assert.notStrictEqual(second.payload.jti, first.payload.jti)
        assert.lengthOf(client.authorizations, 1)
      }))
  }

  for (const [name, connect] of clients) {
    it.effect(`lets ${name} get a token on its own`, () =>
      Effect.gen(function*() {
        const { issuer } = yield* makeOidcProvider()
        const resource = yield* makeResource(issuer)
        const rejected = yield* Effect.flip(connect(resource, {}))
        assert.strictEqual(rejected._tag, "ClientFailed")
        const oauth = new HeadlessOAuthClient()
        const client = yield* connect(resource, { oauth })
        assert.strictEqual(yield* client.call("echo", { a: 1 }), "{\"a\":1}")
        assert.lengthOf(oauth.authorizations, 1)
      }))
  }

  it.effect("grants nothing without PKCE", () =>
    Effect.gen(function*() {
      const { issuer } = yield* makeOidcProvider()
      const resource = yield* makeResource(issuer)
      const client = new HeadlessOAuthClient()
      yield* Effect.promise(() => authV1(client, { serverUrl: resource }))
      const [url] = client.authorizations
      assert.strictEqual(url?.searchParams.get("code_challenge_method"), "S256")
      url?.searchParams.delete("code_challenge")
      url?.searchParams.delete("code_challenge_method")
      const rejected = yield* Effect.promise(() => fetch(url ?? "", { redirect: "manual" }))
      assert.include(rejected.headers.get("location") ?? "", "error=invalid_request")
    }))
})
