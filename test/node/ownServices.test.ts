// @effect-diagnostics missingLayerContext:off (what must not compile says so by @ts-expect-error)
/** A Node service with services of the embedding program: store, client, registry. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NetAddress from "effect/net/NetAddress"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import {
  GatewayClient,
  GatewayConfig,
  type GatewayConfigInput,
  type Identity,
  InvalidToken,
  ProviderHttp,
  ProviderRegistry
} from "mcp-authorizer"
import * as NodeGateway from "mcp-authorizer/node"
import { TestIssuer } from "mcp-authorizer/testing"
import { ping } from "../fixtures/messages.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

const start = Effect.fnUntraced(function*<E>(
  options: NodeGateway.NodeGatewayOptions<E>,
  settings: GatewayConfigInput
) {
  const services = yield* Layer.build(
    NodeGateway.layerUnannounced(undefined, options).pipe(
      Layer.provide(GatewayConfig.layer({ host: "127.0.0.1", port: 0, ...settings })),
      Layer.provide(Logger.layer([]))
    )
  )
  const origin = NetAddress.formatUrlUnsafe(Context.get(services, HttpServer.HttpServer).address)
  return (token: string) =>
    Effect.promise(async (signal) => {
      const response = await fetch(`${origin}/mcp`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: ping,
        signal
      })
      await response.arrayBuffer()
      return response.status
    })
})

const alice: Identity = {
  subject: "alice",
  clientId: undefined,
  issuer: "https://keys.example.com",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "own",
  expiresAt: undefined,
  claims: {}
}

/** Needs a store, which no option may. */
const needy = Effect.andThen(KeyValueStore.KeyValueStore, Effect.never)

describe("NodeGateway.layer with services of the program", () => {
  it.live("shares the keys of providers with other instances in a store of its own", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const issuer = yield* TestIssuer.make({ audience: "notes" })
      const entries = new Map<string, string>()
      const store = Layer.succeed(
        KeyValueStore.KeyValueStore,
        KeyValueStore.makeStringOnly({
          get: (key) => Effect.sync(() => entries.get(key)),
          set: (key, value) => Effect.sync(() => void entries.set(key, value)),
          remove: (key) => Effect.sync(() => void entries.delete(key)),
          keys: Effect.sync(() => [...entries.keys()]),
          clear: Effect.sync(() => entries.clear()),
          size: Effect.sync(() => entries.size)
        })
      )
      const settings: GatewayConfigInput = {
        server_url: `${upstream.origin}/mcp`,
        jwt_issuer: issuer.issuer,
        jwt_jwks_uri: issuer.jwksUri,
        jwt_audience: "notes"
      }
      const token = yield* issuer.sign()
      const first = yield* start({ store }, settings)
      assert.strictEqual(yield* first(token), 200)
      assert.isAbove(entries.size, 0)
      const hits = yield* issuer.hits("/oauth2/jwks")
      const second = yield* start({ store }, settings)
      assert.strictEqual(yield* second(token), 200)
      assert.strictEqual(yield* issuer.hits("/oauth2/jwks"), hits)
      // Without the store, an instance sends its own request.
      const third = yield* start<never>({}, settings)
      assert.strictEqual(yield* third(token), 200)
      assert.isAbove(yield* issuer.hits("/oauth2/jwks"), hits)
    }))

  it.live("forwards by a client of its own, which knows the caller", () =>
    Effect.gen(function*() {
      const callers: Array<string | undefined> = []
      const gatewayClient = Layer.succeed(
        GatewayClient,
        GatewayClient.of({
          send: (request) =>
            Effect.sync(() => {
              callers.push(request.identity?.subject)
              return { status: 202, headers: {}, body: { _tag: "Empty" } }
            })
        })
      )
      const send = yield* start({ gatewayClient }, {
        server_url: "http://127.0.0.1:9/mcp",
        static_tokens: "dev-token:c:bob:read"
      })
      assert.strictEqual(yield* send("dev-token"), 202)
      assert.strictEqual(yield* send("other"), 401)
      assert.deepStrictEqual(callers, ["bob"])
    }))

  it.live("selects providers by a registry of its own", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const unknown = new InvalidToken({ reason: "UnknownToken", provider: "own", detail: "no such token" })
      const registry = Layer.effect(
        ProviderRegistry,
        Effect.gen(function*() {
          // The gateway's own services are available to it.
          assert.isFunction((yield* ProviderHttp).send)
          assert.lengthOf((yield* GatewayConfig).providers, 0)
          return ProviderRegistry.of({
            select: (token) =>
              Effect.succeed({
                name: "own",
                verify: Redacted.value(token) === "token-of-alice"
                  ? Effect.succeed({ identity: alice, validity: undefined })
                  : Effect.fail(unknown)
              }),
            readiness: Effect.succeed([{ provider: "own", ready: true, state: "ready" }])
          })
        })
      )
      const send = yield* start({ registry }, {
        server_url: `${upstream.origin}/mcp`,
        providers: [],
        public_url: "https://notes.example.com"
      })
      assert.strictEqual(yield* send("token-of-alice"), 200)
      assert.strictEqual(yield* send("other"), 401)
      const [request] = upstream.requests()
      assert.deepStrictEqual(request?.headers("x-auth-user-id"), ["alice"])
    }))

  it("takes a store, a client and a registry only of the right type", () => {
    const noStore = Layer.succeed(GatewayClient, { send: () => Effect.never })
    const registry = Layer.effect(ProviderRegistry, needy)
    const gatewayClient = Layer.effect(GatewayClient, needy)
    const layers = [
      // @ts-expect-error a client is no store
      NodeGateway.layer(undefined, { store: noStore }),
      // @ts-expect-error a registry must not need what the gateway lacks
      NodeGateway.layer(undefined, { registry }),
      // @ts-expect-error nor must a client
      NodeGateway.layer(undefined, { gatewayClient })
    ]
    assert.isTrue(layers.every(Layer.isLayer))
  })
})
