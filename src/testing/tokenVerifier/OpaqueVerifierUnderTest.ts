import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TokenVerifier } from "../../verify/TokenVerifier.ts"
import { issuerLayer } from "./JwtVerifierOptions.ts"
import type { Bearer, OpaqueTokens, Outage, UnacceptableToken } from "./OpaqueTokens.ts"
import { type Verify, verifyWith } from "./verdict.ts"
import { buildVerifier, setDay, type VerifierNeeds } from "./VerifierUnderTest.ts"

/** What a provider may or may not say about the bearer of a token, beside the subject. */
export type OpaqueClaim = "clientId" | "scopes" | "email" | "name" | "expiresAt"

/** How a verifier of opaque tokens under test is set up; every field has a default. */
export interface OpaqueVerifierOptions {
  /** What its provider says beside the subject; everything unless given. */
  readonly says?: ReadonlyArray<OpaqueClaim> | undefined
  /** For how long it may believe what its provider once said, in seconds; 300 unless given. */
  readonly remembersSeconds?: number | undefined
  /** Whether tokens end by themselves; `true` unless given. */
  readonly expires?: boolean | undefined
  /** How far clocks may differ, in seconds; 60 unless given. */
  readonly clockSkewSeconds?: number | undefined
  /**
   * Where the suite's own issuer is: in memory, behind the `HttpClient` of the suite, or on a port of 127.0.0.1. `memory`
   * unless given.
   */
  readonly transport?: "memory" | "http" | undefined
}

/** The same with all defaults in place. */
export interface OpaqueVerifierSettings {
  readonly says: ReadonlyArray<OpaqueClaim>
  readonly remembersSeconds: number
  readonly expires: boolean
  readonly skew: number
  readonly transport: "memory" | "http"
}

export const resolveOpaqueOptions = (options: OpaqueVerifierOptions): OpaqueVerifierSettings => ({
  says: options.says ?? ["clientId", "scopes", "email", "name", "expiresAt"],
  remembersSeconds: options.remembersSeconds ?? 300,
  expires: options.expires ?? true,
  skew: options.clockSkewSeconds ?? 60,
  transport: options.transport ?? "memory"
})

const noOutage: Outage = { begin: Effect.void, end: Effect.void }

/** A verifier of opaque tokens, and the provider of the tokens. */
export class OpaqueVerifierUnderTest extends Context.Service<OpaqueVerifierUnderTest, {
  readonly settings: OpaqueVerifierSettings
  readonly verify: Verify
  readonly issue: (bearer: Bearer) => Effect.Effect<string>
  readonly revoke: (token: string) => Effect.Effect<void>
  /** Makes tokens of other kinds than access tokens. */
  readonly others: Effect.Effect<ReadonlyArray<string>>
  readonly unacceptable: Effect.Effect<ReadonlyArray<UnacceptableToken>>
  /** How often the provider was asked so far; `undefined` if nobody counts. */
  readonly requests: Effect.Effect<number | undefined>
  readonly slowness: Outage
  readonly outages: ReadonlyArray<Outage>
}>()("mcp-authorizer/testing/tokenVerifier/OpaqueVerifierUnderTest") {
  static readonly layer = <R, E>(
    subject: Layer.Layer<TokenVerifier | R, E, VerifierNeeds>,
    tokens: OpaqueTokens<R | VerifierNeeds>,
    settings: OpaqueVerifierSettings
  ): Layer.Layer<OpaqueVerifierUnderTest> =>
    Layer.effect(
      OpaqueVerifierUnderTest,
      Effect.gen(function*() {
        yield* setDay
        const context = yield* buildVerifier(subject, issuerLayer(settings.transport, {}))
        return {
          settings,
          verify: verifyWith(Context.get(context, TokenVerifier)),
          issue: (bearer) => Effect.provideContext(tokens.issue(bearer), context),
          revoke: (token) => Effect.provideContext(tokens.revoke(token), context),
          others: Effect.provideContext(tokens.others ?? Effect.succeed([]), context),
          unacceptable: Effect.provideContext(tokens.unacceptable ?? Effect.succeed([]), context),
          requests: Effect.provideContext(tokens.requests ?? Effect.undefined, context),
          slowness: yield* Effect.provideContext(tokens.slowness ?? Effect.succeed(noOutage), context),
          outages: yield* Effect.provideContext(tokens.outages, context)
        }
      })
    )
}
