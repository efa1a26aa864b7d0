/** An issuer without its transport. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { compactJws } from "./compactJws.ts"
import { makeIssuedTokens, randomOpaqueToken } from "./IssuedTokens.ts"
import type { Issuer } from "./Issuer.ts"
import { type IssuerState, respondTo } from "./issuerEndpoints.ts"
import { makeKeyRing } from "./KeyRing.ts"
import { nowSeconds } from "./nowSeconds.ts"
import { makePendingMisbehaviours } from "./PendingMisbehaviours.ts"
import type { ReceivedRequest } from "./ReceivedRequest.ts"
import { makeRequestLog } from "./RequestLog.ts"
import { reusedKey } from "./reusedKey.ts"
import { makeSigningKey } from "./SigningKey.ts"
import type { OpaqueTokenOptions, SignOptions, TestIssuerOptions } from "./TestIssuerOptions.ts"
import { type Disconnected, type WireResponse, wireResponse } from "./WireResponse.ts"

const listOf = (value: string | ReadonlyArray<string>): ReadonlyArray<string> =>
  typeof value === "string" ? [value] : value

const textOf = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

/** Builds an issuer at `origin`, and the function that responds to the requests that its transport receives. */
export const makeIssuer = Effect.fnUntraced(function*(
  origin: string,
  options: TestIssuerOptions
): Effect.fn.Return<
  {
    readonly issuer: Issuer
    readonly respond: (request: ReceivedRequest) => Effect.Effect<WireResponse, Disconnected>
  },
  never,
  Scope.Scope
> {
  const algorithms = options.algorithms ?? ["RS256"] as const
  const audience = options.audience ?? "https://mcp.example/mcp"
  const subject = options.subject ?? "user-1"
  const client = options.client ?? { id: "test-client", secret: "test-secret" }
  const scopes = options.scopes ?? ["mcp:read", "mcp:write"]
  const life = options.expiresIn ?? "5 minutes"
  const scope = yield* Effect.scope
  const keys = makeKeyRing(
    algorithms,
    options.keys === "reused" ? (key) => Scope.provide(reusedKey(key), scope) : makeSigningKey
  )
  const tokens = makeIssuedTokens()
  const misbehaviours = makePendingMisbehaviours()
  const log = makeRequestLog()
  const issuer = origin + (options.path ?? "")

  const respond = Effect.fnUntraced(function*(request: ReceivedRequest) {
    const misbehaviour = misbehaviours.take(request.path)
    const ordinary = yield* respondTo(state, request)
    // Counted only now, so that only the delay itself remains when a test adjusts the clock.
    yield* log.add(request)
    return yield* wireResponse(ordinary, misbehaviour)
  })

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
      exp: now + Duration.toSeconds(changes.expiresIn ?? life),
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
      expiresAt: now + Duration.toSeconds(known.expiresIn ?? life),
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
      return { token, expiresInSeconds: Duration.toSeconds(life) }
    })
  }

  return {
    respond,
    issuer: {
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
    }
  }
})
