import * as Effect from "effect/Effect"
import { inspect } from "node:util"
import type { Issuer } from "../../issuer/Issuer.ts"
import { Misbehaviour } from "../../issuer/Misbehaviour.ts"
import { nowSeconds } from "../../issuer/nowSeconds.ts"
import { TestIssuer } from "../../issuer/TestIssuer.ts"
import { noAnswers } from "./outages.ts"

/** For whom a token is to be made. */
export interface Bearer {
  readonly subject: string
  readonly clientId: string
  readonly scopes: ReadonlyArray<string>
  readonly email: string
  readonly name: string
  /** From now, in seconds. */
  readonly expiresInSeconds: number
}

/** A token that the provider knows, and says something about for which it must be rejected. */
export interface UnacceptableToken {
  /** What the provider says of it, for the report of a failure. */
  readonly says: string
  readonly token: string
}

/** One way in which the provider can be out of order. */
export interface Outage {
  readonly begin: Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

/**
 * Where opaque tokens come from: what an author must say about a provider of them.
 *
 * `R` is what it needs: `TestIssuer`, or services that the layer of the verifier provides as well, such as a table of API
 * keys.
 */
export interface OpaqueTokens<R> {
  /** Makes a token that the provider knows from now on. */
  readonly issue: (bearer: Bearer) => Effect.Effect<string, never, R>
  /** Makes the provider disown a token. */
  readonly revoke: (token: string) => Effect.Effect<void, never, R>
  /**
   * Makes tokens that the provider knows, too, and says to be of other kinds than access tokens; none unless given.
   */
  readonly others?: Effect.Effect<ReadonlyArray<string>, never, R> | undefined
  /**
   * Makes tokens that the provider knows and says something about for which they must be rejected: inactive in other
   * words than `false`, for another audience, not valid yet. None unless given.
   */
  readonly unacceptable?: Effect.Effect<ReadonlyArray<UnacceptableToken>, never, R> | undefined
  /** How often the provider was asked so far. Give it to have the number of requests checked. */
  readonly requests?: Effect.Effect<number, never, R> | undefined
  /** The provider is slow: it takes a second to respond. Give it to have interrupted requests checked. */
  readonly slowness?: Effect.Effect<Outage, never, R> | undefined
  /** The ways in which it can be out of order; none where nobody has to be asked. */
  readonly outages: Effect.Effect<ReadonlyArray<Outage>, never, R>
}

const paths = ["/oauth/userinfo", "/oauth2/userinfo", "/oauth2/introspection"]

const outage = (issuer: Issuer, misbehaviour: Misbehaviour): Outage => ({
  begin: Effect.forEach(paths, (path) => issuer.misbehave(path, misbehaviour, Infinity), { discard: true }),
  end: issuer.behave()
})

/** Introspection responses for tokens that are not for a resource server, in Hydra's form and in Keycloak's. */
const otherKinds: ReadonlyArray<Readonly<Record<string, unknown>>> = [
  { token_use: "refresh_token" },
  { token_type: "refresh_token" },
  { typ: "Refresh" },
  { typ: "Offline", exp: undefined },
  { typ: "ID" }
]

const otherAudience = "https://other.example/mcp"

/** What introspection says of tokens that must be rejected; `audience` is the one that the verifier expects. */
const unacceptable = (audience: string, nowSeconds: number): ReadonlyArray<Readonly<Record<string, unknown>>> => [
  ...["false", "true", "", 0, 1, null, undefined, [], [true], {}].map((active) => ({ active })),
  ...[otherAudience, [otherAudience], `${audience}x`, audience.slice(0, -1), [], [[audience]], { 0: audience }, 7]
    .map((aud) => ({ aud })),
  ...["https://evil.example", "https://issuer.test.evil.example", "", 7, ["https://evil.example"]]
    .map((iss) => ({ iss })),
  ...[nowSeconds + 600, nowSeconds + 1_000_000_000, "soon"].map((nbf) => ({ nbf })),
  ...[nowSeconds + 600, "yesterday"].map((iat) => ({ iat })),
  ...[nowSeconds - 600, 0, "never", true, [nowSeconds + 600]].map((exp) => ({ exp })),
  ...["", 7, null, ["ada"], { name: "ada" }].map((sub) => ({ sub, client_id: undefined }))
]

/** How the suite's own issuer makes opaque tokens. */
export interface IssuerTokensOptions {
  readonly prefix?: string
  /** The verifier asks the introspection endpoint, which says of what kind a token is; `false` unless given. */
  readonly introspected?: boolean
  /** Whether the verifier rejects tokens for other audiences than the issuer's; `true` unless given. */
  readonly checksAudience?: boolean
}

/** Opaque tokens of the suite's own issuer, for verifiers that ask its userinfo or introspection endpoint. */
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
      : []
    const made = yield* Effect.forEach(
      claims,
      (said) =>
        Effect.map(issuer.issueOpaque({ ...options, claims: said }), (token) => ({ says: inspect(said), token }))
    )
    return [...made, { says: "sub: ''", token: yield* issuer.issueOpaque({ ...options, subject: "", clientId: "" }) }]
  })),
  revoke: (token) => TestIssuer.use((issuer) => issuer.revoke(token)),
  requests: TestIssuer.use((issuer) =>
    Effect.map(Effect.forEach(paths, issuer.hits), (hits) => hits.reduce((all, some) => all + some, 0))
  ),
  slowness: TestIssuer.useSync((issuer) => outage(issuer, Misbehaviour.Respond({ delay: "1 second" }))),
  outages: TestIssuer.useSync((issuer) => noAnswers.map((misbehaviour) => outage(issuer, misbehaviour)))
})
