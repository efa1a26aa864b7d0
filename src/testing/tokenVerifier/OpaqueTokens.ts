import * as Effect from "effect/Effect"
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
  /** The ways in which it can be out of order; none where nobody has to be asked. */
  readonly outages: Effect.Effect<ReadonlyArray<Outage>, never, R>
}

const paths = ["/oauth/userinfo", "/oauth2/userinfo", "/oauth2/introspection"]

/** What introspection says of tokens that are none for a resource server: Hydra's way, and Keycloak's. */
const otherKinds: ReadonlyArray<Readonly<Record<string, unknown>>> = [
  { token_use: "refresh_token" },
  { token_type: "refresh_token" },
  { typ: "Refresh" },
  { typ: "Offline", exp: undefined },
  { typ: "ID" }
]

/** How the suite's own issuer makes opaque tokens. */
export interface IssuerTokensOptions {
  readonly prefix?: string
  /** The verifier asks the introspection endpoint, which says of what kind a token is; `false` unless given. */
  readonly introspected?: boolean
}

/** Opaque tokens of the suite's own issuer, for verifiers that ask its userinfo or introspection endpoint. */
export const issuerTokens = (
  { introspected = false, ...options }: IssuerTokensOptions = {}
): OpaqueTokens<TestIssuer> => ({
  issue: (bearer) => TestIssuer.use((issuer) => issuer.issueOpaque({ ...bearer, ...options })),
  others: TestIssuer.use((issuer) =>
    Effect.forEach(introspected ? otherKinds : [], (claims) => issuer.issueOpaque({ ...options, claims }))
  ),
  revoke: (token) => TestIssuer.use((issuer) => issuer.revoke(token)),
  outages: TestIssuer.useSync((issuer) =>
    noAnswers.map((misbehaviour) => ({
      begin: Effect.forEach(paths, (path) => issuer.misbehave(path, misbehaviour, Infinity), { discard: true }),
      end: issuer.behave()
    }))
  )
})
