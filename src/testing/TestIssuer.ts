/**
 * An OAuth 2.0 and OpenID Connect issuer on the loopback interface, for tests and for development.
 *
 * Real HTTP, real keys, real signatures. It tells lies and breaks down when asked to, and remembers what it was asked.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { JwsAlgorithm } from "../config/GatewaySettings.ts"
import { sendAnswer } from "./Answer.ts"
import { compactJws } from "./compactJws.ts"
import { makeIssuedTokens, randomOpaqueToken } from "./IssuedTokens.ts"
import { answerRequest, type IssuerState } from "./issuerEndpoints.ts"
import { makeKeyRing } from "./KeyRing.ts"
import { listen } from "./LoopbackServer.ts"
import type { Misbehaviour } from "./Misbehaviour.ts"
import { nowSeconds } from "./nowSeconds.ts"
import { makePendingMisbehaviours } from "./PendingMisbehaviours.ts"
import { receive, type ReceivedRequest } from "./ReceivedRequest.ts"
import { makeRequestLog } from "./RequestLog.ts"
import type { SigningKey } from "./SigningKey.ts"
import type { OpaqueTokenOptions, SignOptions, TestIssuerOptions } from "./TestIssuerOptions.ts"

const listOf = (value: string | ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof value === "string" ? [value] : value

const textOf = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

/**
 * A test issuer.
 *
 * Endpoints, all below `issuer`: `/jwks` and `/oauth2/jwks` (RFC 7517), `/.well-known/openid-configuration` and
 * `/.well-known/oauth-authorization-server` (RFC 8414), `/oauth/userinfo` and `/oauth2/userinfo`,
 * `/oauth2/introspection` (RFC 7662), `/oauth2/token` (client credentials, RFC 6749, section 4.4).
 *
 * Time is Effect's `Clock`: under `TestClock` tokens expire, and delays pass, when the test says so. No operation
 * fails.
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
 *   const expired = yield* issuer.sign({ expiresInSeconds: -120 })
 *   const mislabelled = yield* issuer.sign({ header: { alg: "none", kid: undefined } })
 *
 *   yield* issuer.misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 503 }))
 *   // ... show the tokens to the gateway, then count:
 *   return [good, expired, mislabelled, yield* issuer.hits("/oauth2/jwks")]
 * }).pipe(Effect.provide(TestIssuer.layer({ audience: "http://localhost:3000/mcp" })))
 * ```
 */
export class TestIssuer extends Context.Service<TestIssuer, {
  /** The `iss` of its tokens: `http://127.0.0.1:<port>` and the path, without a slash at the end. */
  readonly issuer: string
  readonly jwksUri: string
  readonly tokenEndpoint: string
  readonly userinfoEndpoint: string
  readonly introspectionEndpoint: string
  readonly audience: string | ReadonlyArray<string>
  readonly client: { readonly id: string; readonly secret: string }
  /** A compact JWT, right in every way unless the options spoil it. */
  readonly sign: (options?: SignOptions) => Effect.Effect<string>
  /** A token that only this issuer can explain, at its userinfo and introspection endpoints. */
  readonly issueOpaque: (options?: OpaqueTokenOptions) => Effect.Effect<string>
  /** Makes an opaque token, or one from the token endpoint, inactive. */
  readonly revoke: (token: string) => Effect.Effect<void>
  /** The key that signs with `algorithm` (the default one unless given), generated when first asked for. */
  readonly key: (algorithm?: JwsAlgorithm) => Effect.Effect<SigningKey>
  /** Signs with a new key from now on and publishes it beside the old one. */
  readonly rotate: (algorithm?: JwsAlgorithm) => Effect.Effect<SigningKey>
  /** Withdraws every key with this `kid` from the JWKS; it can still sign. */
  readonly removeKey: (kid: string) => Effect.Effect<void>
  /** Adds anything to the JWKS: another key, a broken one, a repeated `kid`. */
  readonly publishKey: (jwk: object) => Effect.Effect<void>
  /** The JWKS as it stands. */
  readonly jwks: Effect.Effect<{ readonly keys: ReadonlyArray<object> }>
  /**
   * Spoils the answers to the next `times` requests (1 unless given, `Infinity` for all) to `path`, after those
   * already spoiled. A path here and below is the whole path on the wire, without the query.
   */
  readonly misbehave: (path: string, behaviour: Misbehaviour, times?: number) => Effect.Effect<void>
  /** Forgets the misbehaviours for `path`, or all of them. */
  readonly behave: (path?: string) => Effect.Effect<void>
  /** How many requests to `path` were received, spoiled ones too. */
  readonly hits: (path: string) => Effect.Effect<number>
  /**
   * Waits until `path` has received `count` requests: the moment to adjust a `TestClock` while an answer hangs, drips
   * or is delayed.
   */
  readonly awaitHits: (path: string, count: number) => Effect.Effect<void>
  /** The requests to `path`, or all of them, oldest first. They hold credentials: do not log them. */
  readonly requests: (path?: string) => Effect.Effect<ReadonlyArray<ReceivedRequest>>
}>()("mcp-authorizer/testing/TestIssuer") {
  /** Starts an issuer that stops with its scope; use it where one test needs several. */
  static readonly make = Effect.fnUntraced(function*(
    options: TestIssuerOptions = {}
  ): Effect.fn.Return<TestIssuer["Service"], never, Scope.Scope> {
    const algorithms = options.algorithms ?? ["RS256"] as const
    const audience = options.audience ?? "https://mcp.example/mcp"
    const subject = options.subject ?? "user-1"
    const client = options.client ?? { id: "test-client", secret: "test-secret" }
    const scopes = options.scopes ?? ["mcp:read", "mcp:write"]
    const life = options.expiresInSeconds ?? 300
    const keys = makeKeyRing(algorithms)
    const tokens = makeIssuedTokens()
    const misbehaviours = makePendingMisbehaviours()
    const log = makeRequestLog()

    const server = yield* listen((incoming, response) =>
      Effect.gen(function*() {
        const request = yield* receive(incoming)
        const misbehaviour = misbehaviours.take(request.path)
        const answer = yield* answerRequest(state, request)
        // Not before: nothing may be left to wait for but the delay itself, or a clock adjusted now would miss it.
        yield* log.add(request)
        yield* sendAnswer(response, answer, misbehaviour)
      })
    )
    const issuer = server.origin + (options.path ?? "")

    const sign = Effect.fnUntraced(function*(changes: SignOptions = {}) {
      const key = changes.key ?? algorithms[0]
      const signer = typeof key === "string" ? yield* keys.current(key) : key
      const now = yield* nowSeconds
      const header = { alg: signer.algorithm, kid: signer.kid, typ: "JWT", ...changes.header }
      const claims = {
        iss: issuer,
        aud: audience,
        sub: subject,
        iat: now,
        exp: now + (changes.expiresInSeconds ?? life),
        ...options.claims,
        ...changes.claims
      }
      return yield* compactJws(
        changes.headerJson ?? JSON.stringify(header),
        changes.payloadJson ?? JSON.stringify(claims),
        signer
      )
    })

    const remember = Effect.fnUntraced(function*(token: string, known: OpaqueTokenOptions) {
      const now = yield* nowSeconds
      tokens.add(token, {
        subject: known.subject ?? subject,
        clientId: known.clientId ?? client.id,
        audience: listOf(known.audience ?? audience),
        scopes: known.scopes ?? scopes,
        email: known.email ?? textOf(options.claims?.["email"]),
        name: known.name ?? textOf(options.claims?.["name"]),
        issuedAt: now,
        expiresAt: now + (known.expiresInSeconds ?? life),
        claims: known.claims ?? {}
      })
      return token
    })

    const state: IssuerState = {
      issuer,
      algorithms,
      scopes,
      client,
      keys,
      tokens,
      grant: Effect.fnUntraced(function*(granted) {
        const aud = granted.audience ?? audience
        const claims = { aud, client_id: granted.clientId, scope: granted.scopes.join(" ") }
        const token = yield* sign({ header: { typ: "at+jwt" }, claims })
        yield* remember(token, { ...granted, audience: aud })
        return { token, expiresInSeconds: life }
      })
    }

    return TestIssuer.of({
      issuer,
      jwksUri: `${issuer}/oauth2/jwks`,
      tokenEndpoint: `${issuer}/oauth2/token`,
      userinfoEndpoint: `${issuer}/oauth/userinfo`,
      introspectionEndpoint: `${issuer}/oauth2/introspection`,
      audience,
      client,
      sign,
      issueOpaque: (known = {}) => Effect.suspend(() => remember(randomOpaqueToken(known.prefix ?? ""), known)),
      revoke: (token) => Effect.sync(() => tokens.revoke(token)),
      key: (algorithm) => keys.current(algorithm ?? algorithms[0]),
      rotate: (algorithm) => keys.rotate(algorithm ?? algorithms[0]),
      removeKey: keys.remove,
      publishKey: keys.publish,
      jwks: Effect.map(keys.published, (published) => ({ keys: published })),
      misbehave: (path, behaviour, times = 1) => Effect.sync(() => misbehaviours.add(path, behaviour, times)),
      behave: (path) => Effect.sync(() => misbehaviours.clear(path)),
      hits: (path) => Effect.sync(() => log.select(path).length),
      awaitHits: log.reach,
      requests: (path) => Effect.sync(() => log.select(path))
    })
  })

  /** One issuer for whoever uses the layer. Keep it in a `const`: each call is another issuer. */
  static readonly layer = (options?: TestIssuerOptions): Layer.Layer<TestIssuer> =>
    Layer.effect(TestIssuer, TestIssuer.make(options))
}
