import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { inspect } from "node:util"
import type { Issuer } from "../../issuer/Issuer.ts"
import { Misbehaviour } from "../../issuer/Misbehaviour.ts"
import { nowSeconds } from "../../issuer/nowSeconds.ts"
import { TestIssuer } from "../../issuer/TestIssuer.ts"
import { badResponses } from "./outages.ts"

/** The bearer of a token to issue. */
export interface Bearer {
  readonly subject: string
  readonly clientId: string
  readonly scopes: ReadonlyArray<string>
  readonly email: string
  readonly name: string
  /** Lifetime from now. */
  readonly expiresIn: Duration.Duration
}

/** A token that the provider knows, but describes in a way for which it must be rejected. */
export interface UnacceptableToken {
  /** The provider's description, for the report of a failure. */
  readonly says: string
  readonly token: string
}

/** One way in which the provider can fail. */
export interface Outage {
  readonly begin: Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

/**
 * A source of opaque tokens: what you must implement for your provider.
 *
 * `R` is what it requires: `TestIssuer`, or services that the layer of the verifier also provides, such as a table of API
 * keys.
 */
export interface OpaqueTokens<R> {
  /** Issues a token that the provider knows from now on. */
  readonly issue: (bearer: Bearer) => Effect.Effect<string, never, R>
  /** Revokes a token at the provider. */
  readonly revoke: (token: string) => Effect.Effect<void, never, R>
  /**
   * Issues tokens that the provider knows as other kinds than access tokens. Default: none.
   */
  readonly others?: Effect.Effect<ReadonlyArray<string>, never, R> | undefined
  /**
   * Issues tokens that the provider knows, but describes in a way for which they must be rejected: inactive in other
   * words than `false`, for another audience, not valid yet. Default: none.
   */
  readonly unacceptable?: Effect.Effect<ReadonlyArray<UnacceptableToken>, never, R> | undefined
  /**
   * Issues a token of a user whose e-mail address the provider marks as unverified, in the given words. If given, such an
   * address must not be reported.
   */
  readonly unverified?: ((said: unknown) => Effect.Effect<string, never, R>) | undefined
  /** Makes the provider reject every token for a while. If given, the verifier must not cache that for more than a minute. */
  readonly denial?: Effect.Effect<Outage, never, R> | undefined
  /** Secrets of the verifier, such as its password at the provider, which nothing may show. Default: none. */
  readonly secrets?: Effect.Effect<ReadonlyArray<string>, never, R> | undefined
  /** Returns how many requests the provider has received. If given, the number of requests is checked. */
  readonly requests?: Effect.Effect<number, never, R> | undefined
  /** Makes the provider slow: it takes a second to respond. If given, interrupted requests are checked. */
  readonly slowness?: Effect.Effect<Outage, never, R> | undefined
  /** Makes the provider receive requests and never respond. If given, the time that a verification takes is checked. */
  readonly silence?: Effect.Effect<Outage, never, R> | undefined
  /** The ways in which the provider can fail. None if the verifier sends no requests. */
  readonly outages: Effect.Effect<ReadonlyArray<Outage>, never, R>
}

const paths = ["/oauth/userinfo", "/oauth2/userinfo", "/oauth2/introspection"]

const outage = (issuer: Issuer, misbehaviour: Misbehaviour): Outage => ({
  begin: Effect.forEach(paths, (path) => issuer.misbehave(path, misbehaviour, Infinity), { discard: true }),
  end: issuer.behave()
})

/** Introspection rejects the credentials of the verifier, which says nothing about a token (RFC 7662, section 2.3). */
const rejectedClients: ReadonlyArray<Misbehaviour> = [
  Misbehaviour.Respond({ status: 401, body: "{\"error\":\"invalid_client\"}" }),
  Misbehaviour.Respond({ status: 403 }),
  Misbehaviour.Respond({ status: 400, body: "{\"error\":\"unauthorized_client\"}" })
]

/** The usual response with a status that no response about a token has (RFC 9110, section 15.3). */
const otherStatuses: ReadonlyArray<Misbehaviour> = [201, 203, 206].map((status) => Misbehaviour.Respond({ status }))

/** A userinfo endpoint rejects a token (RFC 6750, section 3.1). */
const rejectedToken = Misbehaviour.Respond({
  status: 401,
  headers: { "www-authenticate": "Bearer error=\"invalid_token\"" },
  body: ""
})

/** An e-mail address that users could have entered themselves. */
export const unverifiedEmail = "unverified@example.com"

/** Introspection responses for tokens that are not access tokens, in Hydra's form and in Keycloak's. */
const otherKinds: ReadonlyArray<Readonly<Record<string, unknown>>> = [
  { token_use: "refresh_token" },
  { token_type: "refresh_token" },
  { typ: "Refresh" },
  { typ: "Offline", exp: undefined },
  { typ: "ID" }
]

const otherAudience = "https://other.example/mcp"

/** Introspection responses for tokens that must be rejected. `audience` is what the verifier expects. */
const unacceptable = (audience: string, nowSeconds: number): ReadonlyArray<Readonly<Record<string, unknown>>> => [
  ...["false", "true", "", 0, 1, null, undefined, [], [true], {}].map((active) => ({ active })),
  ...[otherAudience, [otherAudience], `${audience}x`, audience.slice(0, -1), [], [[audience]], { 0: audience }, 7]
    .map((aud) => ({ aud })),
  ...["https://evil.example", "https://issuer.test.evil.example", "", 7, ["https://evil.example"]]
    .map((iss) => ({ iss })),
  ...[nowSeconds + 600, nowSeconds + 1_000_000_000, "soon"].map((nbf) => ({ nbf })),
  ...[nowSeconds + 600, "yesterday"].map((iat) => ({ iat })),
  ...[nowSeconds - 600, 0, "never", true, [nowSeconds + 600]].map((exp) => ({ exp })),
  ...withoutSubject.map((claims) => ({ ...claims, client_id: undefined }))
]

/** Responses without a subject. Names of the user are no subject, because users can change them. */
const withoutSubject: ReadonlyArray<Readonly<Record<string, unknown>>> = ["", 7, null, undefined, ["ada"], {
  name: "ada"
}]
  .flatMap((sub) => [
    { sub },
    { sub, id: 7, uid: "ada", username: "ada", preferred_username: "ada", email: "ada@example.com", name: "Ada" }
  ])

/** Options of opaque tokens of the suite's own issuer. */
export interface IssuerTokensOptions {
  readonly prefix?: string
  /** The verifier uses the introspection endpoint, which names the kind of a token. Default: `false`. */
  readonly introspected?: boolean
  /** Whether the verifier rejects tokens for other audiences than the issuer's. Default: `true`. */
  readonly checksAudience?: boolean
}

/** Opaque tokens of the suite's own issuer, for verifiers that use its userinfo or introspection endpoint. */
export const issuerTokens = (
  { checksAudience = true, introspected = false, ...options }: IssuerTokensOptions = {}
): OpaqueTokens<TestIssuer> => ({
  issue: (bearer) => TestIssuer.use((issuer) => issuer.issueOpaque({ ...bearer, ...options })),
  others: TestIssuer.use((issuer) =>
    Effect.forEach(introspected ? otherKinds : [], (claims) => issuer.issueOpaque({ ...options, claims }))
  ),
  unacceptable: TestIssuer.use(Effect.fnUntraced(function*(issuer) {
    const [audience = ""] = [issuer.audience].flat()
    const claims = introspected
      ? unacceptable(audience, yield* nowSeconds).filter((said) => checksAudience || !("aud" in said))
      : withoutSubject
    const made = yield* Effect.forEach(
      claims,
      (said) =>
        Effect.map(issuer.issueOpaque({ ...options, claims: said }), (token) => ({ says: inspect(said), token }))
    )
    return [...made, { says: "sub: ''", token: yield* issuer.issueOpaque({ ...options, subject: "", clientId: "" }) }]
  })),
  unverified: (said) =>
    TestIssuer.use((issuer) =>
      issuer.issueOpaque({ ...options, email: unverifiedEmail, claims: { email_verified: said } })
    ),
  denial: TestIssuer.useSync((issuer) =>
    outage(issuer, introspected ? Misbehaviour.Respond({ body: "{\"active\":false}" }) : rejectedToken)
  ),
  secrets: TestIssuer.useSync(({ client: { id, secret } }) => [secret, btoa(`${id}:${secret}`)]),
  revoke: (token) => TestIssuer.use((issuer) => issuer.revoke(token)),
  requests: TestIssuer.use((issuer) =>
    Effect.map(Effect.forEach(paths, issuer.hits), (hits) => hits.reduce((all, some) => all + some, 0))
  ),
  slowness: TestIssuer.useSync((issuer) => outage(issuer, Misbehaviour.Respond({ delay: "1 second" }))),
  silence: TestIssuer.useSync((issuer) => outage(issuer, Misbehaviour.Hang())),
  outages: TestIssuer.useSync((issuer) =>
    [...badResponses, ...otherStatuses, ...(introspected ? rejectedClients : [])].map((misbehaviour) =>
      outage(issuer, misbehaviour)
    )
  )
})
