import * as Effect from "effect/Effect"
import { TestIssuer } from "../TestIssuer.ts"
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
  /** The ways in which it can be out of order; none where nobody has to be asked. */
  readonly outages: Effect.Effect<ReadonlyArray<Outage>, never, R>
}

const paths = ["/oauth/userinfo", "/oauth2/userinfo", "/oauth2/introspection"]

/** Opaque tokens of the suite's own issuer, for verifiers that ask its userinfo or introspection endpoint. */
export const issuerTokens = (options: { readonly prefix?: string } = {}): OpaqueTokens<TestIssuer> => ({
  issue: (bearer) => TestIssuer.use((issuer) => issuer.issueOpaque({ ...bearer, ...options })),
  revoke: (token) => TestIssuer.use((issuer) => issuer.revoke(token)),
  outages: TestIssuer.useSync((issuer) =>
    noAnswers.map((misbehaviour) => ({
      begin: Effect.forEach(paths, (path) => issuer.misbehave(path, misbehaviour, Infinity), { discard: true }),
      end: issuer.behave()
    }))
  )
})
