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
import { ruled as ruledBy } from "../fixtures/rules.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { makeOidcProvider } from "../support/OidcProvider.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { clients } from "./clients.ts"
import { httpStatus } from "./httpStatus.ts"
import { protectResource } from "./protectResource.ts"

/** A gateway that requires two scopes and names only one of them to clients without a token. */
class Peers extends Context.Service<Peers, {
  readonly upstream: RecordingUpstream
  readonly resource: string
  /** A server without required scopes, with a rule that requires the second scope for `echo`. */
  readonly ruled: string
  /** The same, with the challenge in the result of the tool. */
  readonly inResult: string
  /** Makes the client one that the provider knows and allows both scopes. */
  readonly register: (client: HeadlessOAuthClient) => Effect.Effect<void>
}>()("mcp-authorizer/test/clients/stepUp/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const { issuer } = yield* makeOidcProvider()
      const upstream = yield* makeRecordingUpstream
      // By a rule, because the scopes that every request needs are already in the first challenge.
      const both = { rules: [{ methods: ["*"], scopes: ["mcp:read", "mcp:write"] }], scopes_supported: "mcp:read" }
      const resource = yield* protectResource(upstream.origin, issuer, ruledBy(both))
      const rules = ruledBy({
        rules: [{ tools: ["echo"], scopes: ["mcp:write"] }],
        scopes_supported: "mcp:read"
      })
      const ruled = yield* protectResource(upstream.origin, issuer, rules)
      const inResult = yield* protectResource(upstream.origin, issuer, { ...rules, stepUp: "tool_result" })
      // A client that registers itself is allowed only the scopes that it knows at that time.
      const register = (client: HeadlessOAuthClient) =>
        Effect.promise(async () => {
          const response = await fetch(`${issuer}/reg`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ ...client.clientMetadata, scope: "mcp:read mcp:write offline_access" })
          })
          assert.strictEqual(response.status, 201)
          client.saveClientInformation({ ...await response.json(), issuer })
        })
      return { upstream, resource, ruled, inResult, register }
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
        const rejected = yield* Effect.flip(connect(resource, { headers: { authorization } }))
        if (rejected.cause instanceof InsufficientScopeError) {
          assert.strictEqual(rejected.cause.requiredScope, "mcp:read mcp:write")
        } else assert.strictEqual(httpStatus(rejected), 403)
        assert.lengthOf(upstream.requests(), 0)
      }))
  }

  for (const [name, connect] of clients) {
    it.effect(`SUP-03 ${name} gets the scope that a rule asks for, and calls the tool`, () =>
      Effect.gen(function*() {
        const { register, ruled, upstream } = yield* Peers
        yield* upstream.reset
        const oauth = new WithoutRefresh()
        yield* register(oauth)
        const reader = yield* connect(ruled, { oauth })
        assert.deepStrictEqual(yield* reader.tools, ["echo"])
        assert.deepStrictEqual(askedScopes(oauth), [["mcp:read"]])
        const { cause } = yield* Effect.flip(reader.call("echo", { a: 1 }))
        assert.isTrue(cause instanceof UnauthorizedV1 || cause instanceof UnauthorizedV2)
        assert.include(askedScopes(oauth).at(-1)?.join(" ") ?? "", "mcp:write")
        assert.strictEqual(yield* Effect.promise(() => finish(name, oauth, ruled)), "AUTHORIZED")
        const writer = yield* connect(ruled, { oauth })
        assert.strictEqual(yield* writer.call("echo", { a: 1 }), "{\"a\":1}")
        assert.lengthOf(oauth.authorizations, 2)
      }))

    it.effect(`SUP-01 SUP-02 ${name} takes a challenge in a result, and tools with security schemes`, () =>
      Effect.gen(function*() {
        const { inResult, register, upstream } = yield* Peers
        yield* upstream.reset
        const oauth = new WithoutRefresh()
        yield* register(oauth)
        const reader = yield* connect(inResult, { oauth })
        assert.deepStrictEqual(yield* reader.tools, ["echo"])
        assert.strictEqual(yield* reader.call("echo", { a: 1 }), "Token missing required scopes")
        const serverUrl = inResult
        const scope = "mcp:read mcp:write"
        const begun = name === "client 1.x"
          ? authV1(oauth, { serverUrl, scope })
          : authV2(oauth, { serverUrl, scope, forceReauthorization: true })
        assert.strictEqual(yield* Effect.promise(() => begun), "REDIRECT")
        assert.strictEqual(yield* Effect.promise(() => finish(name, oauth, inResult)), "AUTHORIZED")
        const writer = yield* connect(inResult, { oauth })
        assert.strictEqual(yield* writer.call("echo", { a: 1 }), "{\"a\":1}")
      }))
  }

  it.effect("client 1.x with a refresh token stops at 403: what it gets for that has no more scopes", () =>
    Effect.gen(function*() {
      const { resource, upstream } = yield* Peers
      yield* upstream.reset
      const oauth = new HeadlessOAuthClient()
      const rejected = yield* Effect.flip(clients[0][1](resource, { oauth }))
      assert.strictEqual(httpStatus(rejected), 403)
      assert.deepStrictEqual(askedScopes(oauth), [["mcp:read"]])
      assert.lengthOf(upstream.requests(), 0)
    }))
})
