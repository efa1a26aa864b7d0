import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TokenVerifier } from "../../verify/TokenVerifier.ts"
import { issuerLayer } from "./JwtVerifierOptions.ts"
import type { Bearer, OpaqueTokens, Outage, UnacceptableToken } from "./OpaqueTokens.ts"
import { type Verify, verifyWith } from "./verdict.ts"
import { buildVerifier, setDay, type VerifierNeeds } from "./VerifierUnderTest.ts"

/** What a provider may report about a token, in addition to the subject. */
export type OpaqueClaim = "clientId" | "scopes" | "email" | "name" | "expiresAt"

/** Options of a verifier of opaque tokens under test. Every option has a default. */
export interface OpaqueVerifierOptions {
  /** What its provider reports in addition to the subject. Default: everything. */
  readonly says?: ReadonlyArray<OpaqueClaim> | undefined
  /** How long it may cache what its provider has reported. Default: 5 minutes. */
  readonly remembers?: Duration.Input | undefined
  /** Whether tokens expire. Default: `true`. */
  readonly expires?: boolean | undefined
  /** The tolerance between clocks. Default: one minute. */
  readonly clockSkew?: Duration.Input | undefined
  /**
   * Where the suite's own issuer is: in memory, behind the `HttpClient` of the suite, or on a port of 127.0.0.1. Default:
   * `memory`.
   */
  readonly transport?: "memory" | "http" | undefined
}

/** The same with all defaults applied. */
export interface OpaqueVerifierSettings {
  readonly says: ReadonlyArray<OpaqueClaim>
  readonly remembersSeconds: number
  readonly expires: boolean
  readonly skew: number
  readonly transport: "memory" | "http"
}

export const resolveOpaqueOptions = (options: OpaqueVerifierOptions): OpaqueVerifierSettings => ({
  says: options.says ?? ["clientId", "scopes", "email", "name", "expiresAt"],
  remembersSeconds: Duration.toSeconds(options.remembers ?? "5 minutes"),
  expires: options.expires ?? true,
  skew: Duration.toSeconds(options.clockSkew ?? "1 minute"),
  transport: options.transport ?? "memory"
})

/** A provider that responds at once, because it cannot be made slow. */
const noOutage: Outage = { begin: Effect.void, end: Effect.void }

/** A verifier of opaque tokens, and the provider of the tokens. */
export class OpaqueVerifierUnderTest extends Context.Service<OpaqueVerifierUnderTest, {
  readonly settings: OpaqueVerifierSettings
  readonly verify: Verify
  readonly issue: (bearer: Bearer) => Effect.Effect<string>
  readonly revoke: (token: string) => Effect.Effect<void>
  /** Issues tokens of other kinds than access tokens. */
  readonly others: Effect.Effect<ReadonlyArray<string>>
  readonly unacceptable: Effect.Effect<ReadonlyArray<UnacceptableToken>>
  /** `undefined` if the provider does not say whether an address is verified. */
  readonly unverified: ((said: unknown) => Effect.Effect<string>) | undefined
  readonly denial: Outage | undefined
  readonly secrets: ReadonlyArray<string>
  /** Returns how many requests the provider has received; `undefined` if they are not counted. */
  readonly requests: Effect.Effect<number | undefined>
  readonly slowness: Outage
  /** `undefined` if the provider always responds. */
  readonly silence: Outage | undefined
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
        const { unverified } = tokens
        return {
          settings,
          verify: verifyWith(Context.get(context, TokenVerifier)),
          issue: (bearer) => Effect.provideContext(tokens.issue(bearer), context),
          revoke: (token) => Effect.provideContext(tokens.revoke(token), context),
          others: Effect.provideContext(tokens.others ?? Effect.succeed([]), context),
          unacceptable: Effect.provideContext(tokens.unacceptable ?? Effect.succeed([]), context),
          unverified: unverified && ((said) => Effect.provideContext(unverified(said), context)),
          denial: yield* Effect.provideContext(tokens.denial ?? Effect.undefined, context),
          secrets: yield* Effect.provideContext(tokens.secrets ?? Effect.succeed([]), context),
          requests: Effect.provideContext(tokens.requests ?? Effect.undefined, context),
          slowness: yield* Effect.provideContext(tokens.slowness ?? Effect.succeed(noOutage), context),
          silence: yield* Effect.provideContext(tokens.silence ?? Effect.undefined, context),
          outages: yield* Effect.provideContext(tokens.outages, context)
        }
      })
    )
}
