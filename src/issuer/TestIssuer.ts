/**
 * An OAuth 2.0 and OpenID Connect issuer, on the loopback interface or in memory, for tests and for development.
 *
 * Real keys, real signatures. It misbehaves and fails on command, and records the requests that it receives.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Issuer } from "./Issuer.ts"
import { receive, send } from "./loopbackExchange.ts"
import { listen, type LoopbackServer } from "./LoopbackServer.ts"
import { makeIssuer } from "./makeIssuer.ts"
import { makeMemoryClient } from "./memoryClient.ts"
import type { MemoryIssuerOptions, TestIssuerOptions } from "./TestIssuerOptions.ts"

/**
 * A test issuer.
 *
 * Endpoints, all below `issuer`: `/jwks` and `/oauth2/jwks` (RFC 7517), `/.well-known/openid-configuration` and
 * `/.well-known/oauth-authorization-server` (RFC 8414), `/oauth/userinfo` and `/oauth2/userinfo`,
 * `/oauth2/introspection` (RFC 7662), `/oauth2/token` (client credentials, RFC 6749, section 4.4).
 *
 * Times come from Effect's `Clock`: under `TestClock`, tokens expire and delays pass when the test adjusts the clock. No
 * operation fails.
 *
 * **Example** (a provider that is down for one request)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Misbehaviour, TestIssuer } from "mcp-authorizer/testing"
 *
 * const program = Effect.gen(function*() {
 *   const issuer = yield* TestIssuer
 *   const good = yield* issuer.sign({ claims: { scope: "mcp:read" } })
 *   const expired = yield* issuer.sign({ expiresIn: "-2 minutes" })
 *   const mislabelled = yield* issuer.sign({ header: { alg: "none", kid: undefined } })
 *
 *   yield* issuer.misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 503 }))
 *   // ... show the tokens to the gateway, then count:
 *   return [good, expired, mislabelled, yield* issuer.hits("/oauth2/jwks")]
 * }).pipe(Effect.provide(TestIssuer.layer({ audience: "http://localhost:3000/mcp" })))
 * ```
 */
export class TestIssuer extends Context.Service<TestIssuer, Issuer>()("mcp-authorizer/issuer/TestIssuer") {
  /** Starts an issuer on a port of 127.0.0.1. It stops with its scope. Use it if one test needs several issuers. */
  static readonly make = Effect.fnUntraced(function*(
    options: TestIssuerOptions = {}
  ): Effect.fn.Return<TestIssuer["Service"], never, Scope.Scope> {
    const server: LoopbackServer = yield* listen((incoming, response) =>
      send(response, Effect.flatMap(receive(incoming), (request) => respond(request)))
    )
    const { respond, issuer } = yield* makeIssuer(server.origin, options)
    return TestIssuer.of(issuer)
  })

  /** One issuer for all users of the layer. Keep the layer in a `const`: each call builds another issuer. */
  static readonly layer = (options?: TestIssuerOptions): Layer.Layer<TestIssuer> =>
    Layer.effect(TestIssuer, TestIssuer.make(options))

  /**
   * Builds an issuer without a socket, and the client that reaches it. Requests are handled in the fiber that sends them,
   * with its `Clock`. Requests to any other origin, and connections that the issuer closes, fail with `TransportError`.
   * The issuer stops with its scope.
   */
  static readonly makeMemory = Effect.fnUntraced(function*(
    options: MemoryIssuerOptions = {}
  ): Effect.fn.Return<
    { readonly issuer: TestIssuer["Service"]; readonly client: HttpClient.HttpClient },
    never,
    Scope.Scope
  > {
    const { origin } = new URL(options.origin ?? "https://issuer.test")
    const { respond, issuer } = yield* makeIssuer(origin, options)
    return { issuer: TestIssuer.of(issuer), client: yield* makeMemoryClient(origin, respond) }
  })

  /**
   * An issuer without a socket, and the `HttpClient` that reaches only this issuer: `makeMemory` as a layer.
   *
   * Use it for verifiers and key caches, which use an `HttpClient`. It is fast, and all waiting uses the `Clock`.
   *
   * **Example** (the configured providers without a network)
   *
   * ```ts
   * import * as Digest from "effect/crypto/Digest"
   * import * as Layer from "effect/Layer"
   * import * as KeyValueStore from "effect/persistence/KeyValueStore"
   * import { GatewayConfig, layerProviders, TokenVerifier } from "mcp-authorizer"
   * import { TestIssuer } from "mcp-authorizer/testing"
   *
   * const Subject = TokenVerifier.layer.pipe(
   *   Layer.provide(layerProviders),
   *   Layer.provide([KeyValueStore.layerMemory, Digest.layerWebCrypto]),
   *   Layer.provideMerge(TestIssuer.layerMemory()),
   *   Layer.provide(GatewayConfig.layer({
   *     providers: [{ type: "oidc", issuer: "https://issuer.test", audience: ["https://mcp.example/mcp"] }]
   *   }))
   * )
   * ```
   */
  static readonly layerMemory = (options?: MemoryIssuerOptions): Layer.Layer<TestIssuer | HttpClient.HttpClient> =>
    Layer.effectContext(
      Effect.map(
        TestIssuer.makeMemory(options),
        ({ client, issuer }) => Context.add(Context.make(TestIssuer, issuer), HttpClient.HttpClient, client)
      )
    )
}
