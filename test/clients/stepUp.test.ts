import { assert, layer } from "@effect/vitest"
import {
  auth as authV2,
  InsufficientScopeError,
  UnauthorizedError as UnauthorizedV2
} from "@modelcontextprotocol/client"
import { auth as authV1, UnauthorizedError as UnauthorizedV1 } from "@modelcontextprotocol/sdk/client/auth.js"
import type { OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { makeOidcProvider } from "../support/OidcProvider.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { clients } from "./clients.ts"
import { httpStatus } from "./httpStatus.ts"
import { protectResource } from "./protectResource.ts"

/** A gateway that needs two scopes and tells its newcomers of one. */
class Peers extends Context.Service<Peers, {
  readonly upstream: RecordingUpstream
  readonly resource: string
  /** Makes the client one that the provider knows and allows both scopes. */
  readonly register: (client: HeadlessOAuthClient) => Effect.Effect<void>
}>()("mcp-authorizer/test/clients/stepUp/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const { issuer } = yield* makeOidcProvider()
      const upstream = yield* makeRecordingUpstream
      const resource = yield* protectResource(upstream.origin, issuer, {
        requiredScopes: ["mcp:read", "mcp:write"],
        scopesSupported: ["mcp:read"]
      })
      // A client that registers by itself is allowed the scopes that it has heard of by then, and never more.
      const register = (client: HeadlessOAuthClient) =>
        Effect.promise(async () => {
          const answer = await fetch(`${issuer}/reg`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ ...client.clientMetadata, scope: "mcp:read mcp:write offline_access" })
          })
          assert.strictEqual(answer.status, 201)
          client.saveClientInformation({ ...await answer.json(), issuer })
        })
      return { upstream, resource, register }
    })
  )
}

/** Client 1.x would use a refresh token for a step-up, which cannot widen scopes. */
class WithoutRefresh extends HeadlessOAuthClient {
  override saveTokens({ refresh_token: _, ...tokens }: OAuthTokens): void {
    super.saveTokens(tokens)
  }
}

const finish = async (clientName: string, client: HeadlessOAuthClient, serverUrl: string): Promise<string> => {
  const callback = client.takeCallback()
  const authorizationCode = callback.get("code") ?? ""
  return clientName === "client 1.x"
    ? authV1(client, { serverUrl, authorizationCode })
    : authV2(client, { serverUrl, authorizationCode, iss: callback.get("iss") ?? "" })
}

const askedScopes = ({ authorizations }: HeadlessOAuthClient): ReadonlyArray<ReadonlyArray<string>> =>
  authorizations.map((url) => (url.searchParams.get("scope") ?? "").split(" ").filter((s) => s !== "offline_access"))

layer(Peers.layer, { excludeTestServices: true })("clients whose token lacks a scope", (it) => {
  for (const [name, connect] of clients) {
    it.effect(`CH-19 ${name} requests the scopes of the challenge, and gets in`, () =>
      Effect.gen(function*() {
        const { register, resource, upstream } = yield* Peers
        yield* upstream.reset
        const oauth = new WithoutRefresh()
        yield* register(oauth)
        const { cause } = yield* Effect.flip(connect(resource, { oauth }))
        assert.isTrue(cause instanceof UnauthorizedV1 || cause instanceof UnauthorizedV2)
        assert.deepStrictEqual(askedScopes(oauth), [["mcp:read"], ["mcp:read", "mcp:write"]])
        assert.strictEqual(oauth.tokens()?.scope, "mcp:read")
        assert.lengthOf(upstream.requests(), 0)

        assert.strictEqual(yield* Effect.promise(() => finish(name, oauth, resource)), "AUTHORIZED")
        const client = yield* connect(resource, { oauth })
        assert.strictEqual(yield* client.call("echo", { a: 1 }), "{\"a\":1}")
        assert.lengthOf(oauth.authorizations, 2)
      }))

    it.effect(`CH-13 ${name} sees 403 when it cannot request more scopes`, () =>
      Effect.gen(function*() {
        const { resource, upstream } = yield* Peers
        const oauth = new WithoutRefresh()
        yield* Effect.flip(connect(resource, { oauth }))
        const authorization = `Bearer ${oauth.tokens()?.access_token}`
        yield* upstream.reset
        const refused = yield* Effect.flip(connect(resource, { headers: { authorization } }))
        if (refused.cause instanceof InsufficientScopeError) {
          assert.strictEqual(refused.cause.requiredScope, "mcp:read mcp:write")
        } else assert.strictEqual(httpStatus(refused), 403)
        assert.lengthOf(upstream.requests(), 0)
      }))
  }

  it.effect("client 1.x with a refresh token stops at 403: what it gets for that has no more scopes", () =>
    Effect.gen(function*() {
      const { resource, upstream } = yield* Peers
      yield* upstream.reset
      const oauth = new HeadlessOAuthClient()
      const refused = yield* Effect.flip(clients[0][1](resource, { oauth }))
      assert.strictEqual(httpStatus(refused), 403)
      assert.deepStrictEqual(askedScopes(oauth), [["mcp:read"]])
      assert.lengthOf(upstream.requests(), 0)
    }))
})
