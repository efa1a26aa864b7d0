import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as mcpAuthorizer from "mcp-authorizer"
import {
  type BearerToken,
  GatewayClient,
  GatewayConfig,
  HttpApp,
  HttpGatewayClient,
  layerProviders,
  TokenVerifier
} from "mcp-authorizer"
import * as nodeGateway from "mcp-authorizer/node"
import * as nodeGatewayClient from "../../src/node/NodeGatewayClient.ts"

const config = (name: string) =>
  GatewayConfig.layer({
    server_url: `http://${name}.internal/mcp`,
    static_tokens: `${name}-token-0123456789abcdefghijklmnop:client:${name}:read`
  })

const tokenOf = (name: string) => Redacted.make(`${name}-token-0123456789abcdefghijklmnop`) as BearerToken

const platform = Layer.mergeAll(FetchHttpClient.layer, KeyValueStore.layerMemory, Digest.layerWebCrypto)

/** An upstream client that responds with the host that it was asked for. */
const echoHost = Layer.succeed(
  HttpClient.HttpClient,
  HttpClient.make((request, url) => Effect.succeed(HttpClientResponse.fromWeb(request, new Response(url.hostname))))
)

/** The caller of a tenant's token, for one verifier. */
const subject = (verifier: TokenVerifier["Service"], name: string) =>
  verifier.verify(tokenOf(name)).pipe(
    Effect.map((identity) => identity.subject),
    Effect.catch(({ _tag }) => Effect.succeed(_tag))
  )

/** A service of both tenants in one program, by the layers of one function. */
const both = Effect.fnUntraced(function*<I, S, E>(
  service: Context.Key<I, S>,
  layerOf: (name: string) => Layer.Layer<I, E>
) {
  const scope = yield* Effect.scope
  const memory = Layer.makeMemoMapUnsafe()
  const build = (name: string) =>
    Effect.map(Layer.buildWithMemoMap(layerOf(name), memory, scope), (context) => Context.get(context, service))
  return [yield* build("alice"), yield* build("bob")] as const
})

/** The results of both verifiers for the tokens of both tenants. */
const whoIsWho = Effect.fnUntraced(function*<E>(tenant: (name: string) => Layer.Layer<TokenVerifier, E>) {
  const [a, b] = yield* both(TokenVerifier, tenant)
  return [yield* subject(a, "alice"), yield* subject(a, "bob"), yield* subject(b, "alice"), yield* subject(b, "bob")]
})

const each = ["alice", "InvalidToken", "InvalidToken", "bob"]

/** The settings of a tenant, from its own variables. */
const read = (name: string) =>
  GatewayConfig.layerFromConfig.pipe(
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({
      MCP_STATIC_TOKENS: `${name}:client:${name}:read`,
      MCP_PATH: `/${name}`
    })))
  )

const build = <E>(layer: Layer.Layer<HttpApp, E>) => Effect.exit(Effect.scoped(Layer.build(layer)))

// Its contents do not matter, only how it is memoised.
const isLayer = (value: unknown): value is Layer.Layer<never> => Layer.isLayer(value)

describe("two configurations in one program", () => {
  it.effect("TENANT-01 MUST NOT share a verifier that was composed by hand", () =>
    Effect.gen(function*() {
      const composed = yield* whoIsWho((name) =>
        TokenVerifier.layer.pipe(
          Layer.provide(layerProviders),
          Layer.provide(platform),
          Layer.provide(config(name))
        )
      )
      assert.deepStrictEqual(composed, each)
      const wrapper = TokenVerifier.layerMapIdentity((identity) => Effect.succeed(identity))
      const wrapped = yield* whoIsWho((name) =>
        wrapper.pipe(
          Layer.provide(TokenVerifier.layer),
          Layer.provide(layerProviders),
          Layer.provide(platform),
          Layer.provide(config(name))
        )
      )
      assert.deepStrictEqual(wrapped, each)
    }))

  it.effect("TENANT-01 MUST NOT send the requests of one to the MCP server of the other", () =>
    Effect.gen(function*() {
      const clients = yield* both(GatewayClient, (name) =>
        HttpGatewayClient.layer.pipe(Layer.provide(echoHost), Layer.provide(config(name))))
      const hosts = yield* Effect.forEach(clients, ({ send }) =>
        Effect.flatMap(send({ method: "GET", target: "/mcp", headers: {}, body: undefined }), ({ body }) =>
          body._tag === "Stream" ? Stream.mkString(Stream.decodeText(body.stream)) : Effect.succeed(body._tag)))
      assert.deepStrictEqual(hosts, ["alice.internal", "bob.internal"])
    }))

  it.effect("TENANT-01 MUST NOT read each other's variables", () =>
    Effect.gen(function*() {
      const settings = yield* both(GatewayConfig, read)
      assert.deepStrictEqual(settings.map(({ path }) => path), ["/alice", "/bob"])
    }))

  it.effect("TENANT-02 MUST NOT start with a verifier or a client that belongs to the other, and MUST say why", () =>
    Effect.gen(function*() {
      // Constants, which Effect builds once, regardless of what they are provided with.
      const verification = TokenVerifier.layer.pipe(Layer.provideMerge(layerProviders), Layer.provide(platform))
      const upstream = HttpGatewayClient.layer.pipe(Layer.provide(echoHost))
      const app = (name: string) =>
        HttpApp.layer.pipe(
          Layer.provide([verification, upstream]),
          Layer.provide(Digest.layerWebCrypto),
          Layer.provide(config(name))
        )
      assert.isTrue(Exit.isSuccess(yield* build(app("alice"))))
      assert.isTrue(Exit.isSuccess(yield* build(Layer.merge(app("alice"), app("alice")))))
      const exit = yield* build(Layer.merge(app("alice"), app("bob")))
      const told = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "built"
      assert.include(told, "was built from another GatewayConfig")
      assert.notInclude(told, "token-0123456789")
      // The proposal in the message.
      const fresh = (name: string) =>
        HttpApp.layer.pipe(
          Layer.provide([Layer.fresh(verification), Layer.fresh(upstream)]),
          Layer.provide(Digest.layerWebCrypto),
          Layer.provide(config(name))
        )
      assert.isTrue(Exit.isSuccess(yield* build(Layer.merge(fresh("alice"), fresh("bob")))))
    }))

  it.effect("TENANT-01 every layer of the package that is a constant is built anew for each configuration", () =>
    Effect.gen(function*() {
      const found = new Map<string, Layer.Layer<never>>()
      const look = (path: string, value: unknown): void => {
        if (isLayer(value)) {
          found.set(path, value)
        } else if ((typeof value === "function" || typeof value === "object") && value !== null && path.length < 80) {
          for (const [key, member] of Object.entries(value)) if (/layer/i.test(key)) look(`${path}.${key}`, member)
        }
      }
      for (const [key, value] of Object.entries(mcpAuthorizer)) look(key, value)
      for (const [key, value] of Object.entries(nodeGateway)) look(`NodeGateway.${key}`, value)
      for (const [key, value] of Object.entries(nodeGatewayClient)) look(`NodeGatewayClient.${key}`, value)
      assert.includeMembers([...found.keys()], [
        "TokenVerifier.layer",
        "ProviderRegistry.layer",
        "JwksCache.layer",
        "HttpApp.layer",
        "Guard.layer",
        "Authentication.layer",
        "HttpGatewayClient.layerFetch",
        "NodeGatewayClient.layer",
        "layerVerifier"
      ])
      for (const [path, layer] of found) {
        const shared = Layer.makeMemoMapUnsafe()
        const memoised: Array<unknown> = []
        const watched = Object.assign(Object.create(shared), {
          getOrElseMemoize: (self: unknown) => {
            memoised.push(self)
            return Effect.die("memoised")
          }
        })
        // Without the services that it needs it fails, after it has chosen its memory.
        yield* Effect.exit(
          Effect.scopedWith((scope) => Layer.buildWithMemoMap(layer, watched, scope))
        )
        assert.deepStrictEqual(memoised, [], path)
      }
    }))
})
