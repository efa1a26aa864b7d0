/** Assertions about the three outcomes of a verification: accepted, rejected, provider unavailable. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as BearerToken from "../../credential/BearerToken.ts"
import type { InvalidToken, ProviderUnavailable, VerificationError } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { TokenVerifier } from "../../verify/TokenVerifier.ts"
import * as assert from "../assert.ts"

/** Verifies a token given as text. */
export type Verify = (token: string) => Effect.Effect<Identity, VerificationError>

/** `peek` is called before each verification and must return the identity that `verify` returns, or nothing. */
const sameAsKnown = (known: Identity | undefined) =>
  Effect.onExit((exit: Exit.Exit<Identity, VerificationError>) =>
    Effect.sync(() => {
      if (known === undefined || Exit.hasInterrupts(exit)) return
      if (Exit.isFailure(exit)) {
        assert.fail(`peek returns an identity for a token that verify does not accept (${said(exit)})`)
      }
      assert.deepStrictEqual(known, exit.value, "peek returns another identity than verify")
    })
  )

/** Calls a verifier. An exception becomes a defect. */
export const verifyWith = (verifier: TokenVerifier["Service"]): Verify => (token) =>
  Effect.suspend(() => {
    const known = verifier.peek?.(token)
    return sameAsKnown(known)(verifier.verify(BearerToken.make(token)))
  })

const errorOf = (exit: Exit.Exit<Identity, VerificationError>): VerificationError | undefined =>
  Option.getOrUndefined(Exit.findErrorOption(exit))

const said = (exit: Exit.Exit<Identity, VerificationError>): string => {
  if (Exit.isSuccess(exit)) return `accepted, as ${JSON.stringify(exit.value.subject)}`
  const error = errorOf(exit)
  return error === undefined
    ? `no verdict: ${Cause.pretty(exit.cause)}`
    : `${error._tag}: ${error.detail}`
}

/** Asserts that the token is accepted. Returns the identity. */
export const accepted = Effect.fnUntraced(function*(
  verify: Verify,
  token: string
): Effect.fn.Return<Identity> {
  const exit = yield* Effect.exit(verify(token))
  return Exit.isSuccess(exit) ? exit.value : assert.fail(`a valid token was not accepted (${said(exit)}): ${token}`)
})

/** Asserts that the token is rejected with `InvalidToken`. Returns the error. */
export const rejected = Effect.fnUntraced(function*(
  verify: Verify,
  token: string
): Effect.fn.Return<InvalidToken> {
  const exit = yield* Effect.exit(verify(token))
  const error = errorOf(exit)
  return error?._tag === "InvalidToken"
    ? error
    : assert.fail(`an invalid token was not rejected (${said(exit)}): ${token}`)
})

/** Asserts that the token is accepted or rejected: there is a verdict, and it is the verifier's own. */
export const decided = Effect.fnUntraced(function*(
  verify: Verify,
  token: string
): Effect.fn.Return<Identity | InvalidToken> {
  const exit = yield* Effect.exit(verify(token))
  if (Exit.isSuccess(exit)) return exit.value
  const error = errorOf(exit)
  return error?._tag === "InvalidToken" ? error : assert.fail(`no verdict (${said(exit)})`)
})

/** Asserts that the verifier fails with `ProviderUnavailable`. Returns the error. */
export const unavailable = Effect.fnUntraced(function*(
  verify: Verify,
  token: string
): Effect.fn.Return<ProviderUnavailable> {
  const exit = yield* Effect.exit(verify(token))
  const error = errorOf(exit)
  if (error?._tag !== "ProviderUnavailable") {
    return assert.fail(`the failure is not ProviderUnavailable (${said(exit)})`)
  }
  if (!(Number.isFinite(error.retryAfter) && error.retryAfter > 0)) {
    assert.fail(`a client cannot wait for ${error.retryAfter} seconds`)
  }
  return error
})

/** Asserts that the token is not accepted: it is rejected, or the provider is unavailable. */
export const notAccepted = Effect.fnUntraced(function*(verify: Verify, token: string, why: string) {
  const exit = yield* Effect.exit(verify(token))
  if (errorOf(exit) === undefined) assert.fail(`an invalid token was accepted (${said(exit)}): ${why}`)
})

/** Asserts that a valid token is accepted, or that the provider is unavailable. */
export const notRejected = Effect.fnUntraced(function*(verify: Verify, token: string) {
  const exit = yield* Effect.exit(verify(token))
  if (Exit.isFailure(exit)) assert.strictEqual(errorOf(exit)?._tag, "ProviderUnavailable", said(exit))
})

/**
 * Asserts that `forged` is rejected before and after `good`, which it was derived from or resembles, is accepted.
 *
 * The order matters: neither verdict may be cached for the other token.
 */
export const rejectedAlongside = Effect.fnUntraced(function*(verify: Verify, good: string, forged: string) {
  assert.notStrictEqual(forged, good, "nothing was forged")
  yield* rejected(verify, forged)
  yield* accepted(verify, good)
  yield* rejected(verify, forged)
})

// Real time: sockets do not use TestClock.
const moment = TestClock.withLive(Effect.sleep("1 millis"))

/**
 * Advances the time by seconds until the effect has ended, for effects that wait for a provider that does not respond.
 *
 * On a busy machine this may be hours, so give tokens a long lifetime.
 */
export const whileTimePasses = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  const seconds: Effect.Effect<never> = Effect.andThen(
    moment,
    Effect.andThen(TestClock.adjust("1 second"), Effect.suspend(() => seconds))
  )
  return Effect.raceFirst(effect, seconds)
}

/**
 * Advances the time slowly until the effect has ended, and fails if it takes more than half a minute, or `seconds`.
 *
 * Slowly, because a slow provider must not cause a timeout on a busy machine.
 */
export const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>, seconds = 30): Effect.Effect<A, E, R> => {
  const step = Effect.andThen(moment, TestClock.adjust("20 millis"))
  const late = Effect.map(
    Effect.repeat(step, { times: seconds * 50 }),
    () => assert.fail(`no verdict after ${seconds} seconds`)
  )
  return Effect.raceFirst(effect, late)
}

/** Fails if the effect has not ended after some seconds of real time, while the time of the case stands still. */
export const atOnce = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.raceFirst(
    effect,
    Effect.map(TestClock.withLive(Effect.sleep("5 seconds")), () => assert.fail("a caller cannot leave"))
  )

/** Asserts that a token is accepted at once, or after the verifier's pause; after 10 minutes at most. */
export const acceptedAtLast = Effect.fnUntraced(function*(verify: Verify, sign: Effect.Effect<string>) {
  for (let tries = 0; tries < 60; tries++) {
    const exit = yield* Effect.exit(verify(yield* sign))
    if (Exit.isSuccess(exit)) return exit.value
    assert.strictEqual(errorOf(exit)?._tag, "ProviderUnavailable", said(exit))
    yield* TestClock.adjust("10 seconds")
  }
  return assert.fail("valid tokens are still not accepted, 10 minutes after the provider has recovered")
})
