/** A provider type that a program adds: configured, verified, discovered, counted and described like the gateway's own. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { GatewayConfig, InvalidToken, makeProviderType, ProviderUnavailable } from "mcp-authorizer"
import * as NodeGateway from "mcp-authorizer/node"
import { createHash } from "node:crypto"
import { describe as describeSettings } from "../../src/config/describe.ts"
import type { InvalidConfiguration } from "../../src/config/InvalidConfiguration.ts"
import { warnings } from "../../src/config/warnings.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

const canary = "c4n4ry-key"
const key = `key_${canary}`
// RFC 2606: this name does not exist.
const portal = "https://keys.invalid"

/** API keys, looked up by their digests. `asked` counts the lookups, and `isDown` makes them fail. */
const makeApiKeys = () => {
  const seen = { asked: 0, isDown: false }
  const type = makeProviderType({
    name: "api-keys",
    fields: Schema.Struct({
      owners: Schema.Record(Schema.String, Schema.NonEmptyString),
      portal: Schema.optionalKey(Schema.String)
    }),
    verify: (token, { fields: { owners }, name }) => {
      seen.asked++
      if (seen.isDown) return Effect.fail(new ProviderUnavailable({ provider: name, detail: "down", retryAfter: 5 }))
      const subject = owners[sha256(Redacted.value(token))]
      return subject === undefined
        ? Effect.fail(new InvalidToken({ reason: "UnknownToken", provider: name, detail: "no such API key" }))
        : Effect.succeed({
          subject,
          clientId: undefined,
          issuer: "my-server",
          scopes: subject === "bob" ? [] : ["notes:read"],
          email: undefined,
          name: undefined,
          expiresAt: subject === "carol" ? 1 : undefined,
          claims: {}
        })
    },
    describe: ({ owners, portal = null }) => ({ owners: Object.keys(owners).length, portal }),
    warnings: ({ fields }) => Object.keys(fields.owners).length === 0 ? ["no one has a key."] : [],
    authorizationServers: ({ portal }) => portal === undefined ? [] : [portal],
    readiness: () => Effect.sync(() => seen.isDown ? "unavailable" as const : "ready" as const),
    remember: { accepted: "1 minute" }
  })
  return { seen, type }
}

const owners = { [sha256(key)]: "alice", [sha256("key_bob")]: "bob", [sha256("key_carol")]: "carol" }

const entry = { type: "api-keys", token_prefix: "key_", required_scopes: "notes:read", owners, portal } as const

const served = Effect.gen(function*() {
  const upstream = yield* makeRecordingUpstream
  const { seen, type } = makeApiKeys()
  const context = yield* Layer.build(
    NodeGateway.layer().pipe(
      Layer.provide(GatewayConfig.layer({
        server_url: `${upstream.origin}/mcp`,
        host: "127.0.0.1",
        port: 0,
        providers: [entry, { type: "static", tokens: "dev-token:dev-client:dev-user:read" }]
      }, { types: [type] })),
      Layer.provide(Logger.layer([]))
    )
  )
  const origin = NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)
  const call = (token: string) =>
    Effect.promise(() =>
      fetch(`${origin}/mcp`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
      })
    )
  const get = (path: string) =>
    Effect.promise(async () => {
      const response = await fetch(`${origin}${path}`, { redirect: "manual" })
      return { status: response.status, location: response.headers.get("location"), text: await response.text() }
    })
  return { upstream, seen, call, get }
})

const settingsOf = (input: Record<string, unknown>) => {
  const { type } = makeApiKeys()
  // As in a config file, in spite of the types.
  return Effect.map(
    Layer.build(GatewayConfig.layerVariables({ MCP_SERVER_URL: "http://127.0.0.1:1/mcp" }, input, { types: [type] })),
    (context) => Context.get(context, GatewayConfig)
  )
}

const problemsOf = (input: Record<string, unknown>) =>
  Effect.map(Effect.flip(settingsOf(input)), (error: InvalidConfiguration) => error.problems)

describe("a provider type of a program's own", () => {
  it.live("has its tokens accepted on the Node service, and the caller named to the MCP server", () =>
    Effect.gen(function*() {
      const { call, upstream } = yield* served
      assert.strictEqual((yield* call(key)).status, 200)
      const [request] = upstream.requests()
      assert.deepStrictEqual(request?.headers("x-auth-user-id"), ["alice"])
      assert.deepStrictEqual(request?.headers("x-auth-provider"), ["api-keys"])
      assert.isEmpty(request?.headers("authorization"))
      assert.strictEqual((yield* call("dev-token")).status, 200, "the other provider's tokens are as good as before")
    }))

  it.live("rejects what its verifier rejects, what has ended, and what lacks its scopes", () =>
    Effect.gen(function*() {
      const { call, seen, upstream } = yield* served
      assert.strictEqual((yield* call("key_of-nobody")).status, 401)
      assert.strictEqual((yield* call("key_carol")).status, 401)
      const withoutScope = yield* call("key_bob")
      assert.strictEqual(withoutScope.status, 403)
      assert.include(withoutScope.headers.get("www-authenticate") ?? "", "notes:read")
      const asked = seen.asked
      assert.strictEqual((yield* call("another-prefix")).status, 401)
      assert.strictEqual(seen.asked, asked, "it is not asked about tokens of others")
      seen.isDown = true
      assert.strictEqual((yield* call("key_new")).status, 500)
      assert.isEmpty(upstream.requests())
    }))

  it.live("is asked once about a token that it may remember, and each time about one that it rejects", () =>
    Effect.gen(function*() {
      const { call, seen } = yield* served
      for (let count = 0; count < 3; count++) assert.strictEqual((yield* call(key)).status, 200)
      assert.strictEqual(seen.asked, 1)
      for (let count = 0; count < 3; count++) assert.strictEqual((yield* call("key_of-nobody")).status, 401)
      assert.strictEqual(seen.asked, 4)
    }))

  it.live("is in discovery: its authorization server, and its scopes", () =>
    Effect.gen(function*() {
      const { get } = yield* served
      const { text } = yield* get("/.well-known/oauth-protected-resource/mcp")
      const { authorization_servers, scopes_supported } = JSON.parse(text)
      assert.deepStrictEqual([authorization_servers, scopes_supported], [[portal], ["notes:read"]])
      const metadata = yield* get("/.well-known/oauth-authorization-server")
      assert.deepStrictEqual([metadata.status, metadata.location], [
        308,
        `${portal}/.well-known/oauth-authorization-server`
      ])
    }))

  it.live("is counted in readiness", () =>
    Effect.gen(function*() {
      const { get, seen } = yield* served
      const states = Effect.map(get("/readyz"), ({ text }) => JSON.parse(text).providers)
      assert.deepInclude(yield* states, { name: "api-keys", ready: true, state: "ready" })
      seen.isDown = true
      assert.deepInclude(yield* states, { name: "api-keys", ready: false, state: "unavailable" })
    }))

  it.effect("is described and warned of by its own words, without secrets", () =>
    Effect.gen(function*() {
      const settings = yield* settingsOf({ providers: [entry] })
      assert.deepInclude(describeSettings(settings)["providers"], {
        type: "api-keys",
        name: "api-keys",
        owners: 3,
        portal,
        required_scopes: ["notes:read"],
        hosts: [],
        token_prefix: "key_"
      })
      assert.deepStrictEqual(warnings(settings), [])
      const empty = yield* settingsOf({ providers: [{ type: "api-keys", owners: {} }] })
      assert.deepStrictEqual(warnings(empty), ["Provider \"api-keys\": no one has a key."])
    }))

  it.effect("has what is wrong with its fields reported with all other problems, and no value", () =>
    Effect.gen(function*() {
      const problems = yield* problemsOf({
        port: -1,
        providers: [
          { type: "api-keys", owners: { [canary]: 7 }, audience: "auto" },
          { type: "api-keys", name: "other", ownres: {} }
        ]
      })
      assert.sameMembers(problems.map(({ problem, setting }) => `${setting} ${problem}`), [
        "PORT is not a whole number from 0 to 65535",
        "MCP_PROVIDERS[1].ownres is not a field of a provider",
        "MCP_PROVIDERS[0].audience has no use for a provider of type api-keys",
        "MCP_PROVIDERS[0].owners is not what the type takes",
        "MCP_PROVIDERS[1].owners is missing"
      ])
      assert.include(problems.map(({ fix }) => fix).join(), "Did you mean owners?")
      assert.notInclude(JSON.stringify(problems), canary)
    }))

  it.effect("is unknown where it was not added, and has a name of its own", () =>
    Effect.gen(function*() {
      const unknown = yield* Effect.flip(Effect.scoped(Layer.build(GatewayConfig.layerVariables({}, {
        providers: [entry]
      }))))
      assert.include(String(unknown), "Write one of authkit, tokeninfo, oidc, jwt, static, userinfo, introspection")
      const { type } = makeApiKeys()
      const twice = yield* Effect.flip(Effect.scoped(Layer.build(GatewayConfig.layer({
        providers: [entry]
      }, { types: [type, makeApiKeys().type] }))))
      assert.include(twice.message, "types: has a second type \"api-keys\"")
    }))

  it("is typed end to end", () => {
    const { type } = makeApiKeys()
    const types = [type] as const
    GatewayConfig.layer({ providers: [{ type: "api-keys", owners: {} }, { type: "oidc", issuer: "https://i" }] }, {
      types
    })
    // @ts-expect-error: a field of the type has another type
    GatewayConfig.layer({ providers: [{ type: "api-keys", owners: { a: 1 } }] }, { types })
    // @ts-expect-error: the type does not have such a field
    GatewayConfig.layer({ providers: [{ type: "api-keys", owners: {}, issuer: "https://i" }] }, { types })
    // @ts-expect-error: a required field is missing
    GatewayConfig.layer({ providers: [{ type: "api-keys" }] }, { types })
    // @ts-expect-error: there is no such type
    GatewayConfig.layer({ providers: [{ type: "api-key", owners: {} }] }, { types })
    // @ts-expect-error: the type was not added
    GatewayConfig.layer({ providers: [{ type: "api-keys", owners: {} }] })
    assert.throws(
      () => makeProviderType({ name: "x", fields: Schema.Struct({ name: Schema.String }), verify: () => Effect.never }),
      /name/
    )
  })
})
