import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { Issuer } from "../../issuer/Issuer.ts"
import { TestIssuer } from "../../issuer/TestIssuer.ts"
import type { SignOptions } from "../../issuer/TestIssuerOptions.ts"
import { TokenVerifier } from "../../verify/TokenVerifier.ts"
import { issuerLayer, type JwtVerifierSettings, runningIssuer } from "./JwtVerifierOptions.ts"
import { type Verify, verifyWith } from "./verdict.ts"

/** The services that a verifier under test may require: an issuer, and the client that reaches it. */
export type VerifierNeeds = TestIssuer | HttpClient.HttpClient

/** A day in 2027, in milliseconds: far enough from 1970 for times before and after. */
const start = 1_800_000_000_000

/** Sets the clock to a day in this century. No requirement depends on the date. */
export const setDay: Effect.Effect<void> = TestClock.setTime(start)

/** Prepares an issuer before its verifier is built. */
type Prepare = (issuer: Issuer) => Effect.Effect<unknown>

/** Builds a verifier with its own issuer, sharing nothing with other builds. */
export const buildVerifier = Effect.fnUntraced(function*<R, E>(
  subject: Layer.Layer<TokenVerifier | R, E, VerifierNeeds>,
  issuers: Layer.Layer<VerifierNeeds>,
  prepare?: Prepare
): Effect.fn.Return<Context.Context<TokenVerifier | R | VerifierNeeds>, never, Scope.Scope> {
  const scope = yield* Effect.scope
  // A separate memo map: with a shared one, every build would be the first one.
  const memoMap = yield* Layer.makeMemoMap
  const surroundings = yield* Layer.buildWithMemoMap(issuers, memoMap, scope)
  if (prepare !== undefined) yield* prepare(Context.get(surroundings, TestIssuer))
  const built = subject.pipe(Layer.provide(Layer.succeedContext(surroundings)))
  const context = yield* Effect.orDie(Layer.buildWithMemoMap(built, memoMap, scope))
  return Context.merge(surroundings, context)
})

/** A JWT verifier with its issuer, and a stranger with keys of the same names that the verifier does not trust. */
export interface StartedVerifier {
  readonly settings: JwtVerifierSettings
  readonly issuer: Issuer
  readonly stranger: Issuer
  readonly verify: Verify
  /** Signs a token that must be accepted, unless the changes make it invalid. */
  readonly sign: (changes?: SignOptions) => Effect.Effect<string>
  /** Builds the same verifier again, with its own issuer, which is prepared before. */
  readonly anew: (prepare?: Prepare) => Effect.Effect<StartedVerifier, never, Scope.Scope>
}

/** The verifier under test. */
export class VerifierUnderTest extends Context.Service<VerifierUnderTest, StartedVerifier>()(
  "mcp-authorizer/testing/tokenVerifier/VerifierUnderTest"
) {
  static readonly layer = <E>(
    subject: Layer.Layer<TokenVerifier, E, VerifierNeeds>,
    settings: JwtVerifierSettings
  ): Layer.Layer<VerifierUnderTest> => {
    const { algorithms, audience, claims, header, transport } = settings
    const given = settings.issuer
    const issuers = given === undefined
      ? issuerLayer(transport, { algorithms, audience, claims })
      : runningIssuer(given)
    const strangers = TestIssuer.layerMemory({ origin: "https://stranger.test", algorithms, keys: "reused" })
    const make = Effect.fnUntraced(function*(
      stranger: Issuer,
      prepare?: Prepare
    ): Effect.fn.Return<StartedVerifier, never, Scope.Scope> {
      // A given issuer must not keep misbehaving.
      if (given !== undefined) yield* Effect.addFinalizer(() => given.behave())
      const built = yield* buildVerifier(subject, issuers, prepare)
      const issuer = Context.get(built, TestIssuer)
      return {
        settings,
        issuer,
        stranger,
        verify: verifyWith(Context.get(built, TokenVerifier)),
        sign: (changes = {}) =>
          issuer.sign({
            ...changes,
            header: { ...header, ...changes.header },
            claims: { ...(given === undefined ? {} : claims), ...changes.claims }
          }),
        anew: (prepare) => make(stranger, prepare)
      }
    })
    return Layer.effect(
      VerifierUnderTest,
      Effect.andThen(
        setDay,
        Effect.flatMap(Layer.build(strangers), (context) => make(Context.get(context, TestIssuer)))
      )
    )
  }
}
