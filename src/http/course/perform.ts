import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import type { BearerToken } from "../../credential/BearerToken.ts"
import type { CredentialError } from "../../credential/parseAuthorization.ts"
import type { GatewayError, VerificationError } from "../../errors/GatewayError.ts"
import type { RespondAsFacade } from "../../facade/Facade.ts"
import { Requester } from "../../fairness/Requester.ts"
import type { SessionSeal } from "../../forward/SessionSeal.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { LimitError, RateLimiter } from "../../limits/RateLimiter.ts"
import type { UpstreamAuthorizer } from "../../upstream/UpstreamAuthorizer.ts"
import type { TokenVerifier } from "../../verify/TokenVerifier.ts"
import type { PublishedName } from "../discovery.ts"
import type { Measure } from "./measuring.ts"
import type { HeadStep, Next, SealSession, Verify, Waiting } from "./steps.ts"

/** The services that steps of the course need. */
export interface PerformServices {
  readonly limiter: RateLimiter
  readonly verifier: TokenVerifier["Service"]
  readonly sessions: SessionSeal
  readonly upstream: UpstreamAuthorizer
  readonly discovery: (
    name: PublishedName,
    publicUrl: string
  ) => Effect.Effect<HttpServerResponse, GatewayError>
  readonly readiness: Effect.Effect<HttpServerResponse, GatewayError>
  readonly facade: RespondAsFacade
}

/** Takes the steps that wait for a service, for every driver that can run an effect. */
export interface Perform {
  /** Verifies a token on behalf of a `Requester`. For hosts that have a token, but no request of the course. */
  readonly verify: (
    token: () => Result.Result<BearerToken, CredentialError>
  ) => Effect.Effect<Identity, CredentialError | LimitError | VerificationError>
  readonly step: <A>(step: Waiting<A>) => Effect.Effect<Next<A>>
  readonly seal: (step: SealSession) => Effect.Effect<HeadStep>
}

/** Verifies a token, unless its address has sent too many wrong tokens: then the token is rejected unverified. */
const verifyWithin = ({ limiter, verifier }: PerformServices, makeToken: Verify<unknown>["token"]) => {
  const verify = Effect.suspend((): Effect.Effect<Identity, CredentialError | VerificationError> => {
    const token = makeToken()
    return Result.isFailure(token) ? Effect.fail(token.failure) : verifier.verify(token.success)
  })
  if (!limiter.limitsFailures) return verify
  return Effect.gen(function*() {
    const { group } = yield* Requester
    yield* limiter.mayTry(group)
    return yield* Effect.tapError(
      verify,
      (error) => error._tag === "InvalidToken" ? limiter.noteFailure(group) : Effect.void
    )
  })
}

/** Measures how long a verification takes, if requests are measured. */
const timed = <A, E extends { readonly _tag: string }>(
  effect: Effect.Effect<A, E>,
  measure: Measure | undefined
): Effect.Effect<A, E> => {
  if (measure === undefined) return effect
  return Effect.suspend(() => {
    const finished = measure.verifying()
    return Effect.tap(
      Effect.tapError(
        effect,
        ({ _tag }) => Effect.sync(() => finished(_tag === "ProviderUnavailable" ? "unavailable" : "rejected"))
      ),
      () => Effect.sync(() => finished("accepted"))
    )
  })
}

/**
 * Builds the functions that carry out steps with services.
 *
 * @param measure measures verifications; `undefined` if requests are not measured
 */
export const makePerform = (services: PerformServices, measure?: Measure): Perform => ({
  verify: (token) => verifyWithin(services, token),
  step: <A>(step: Waiting<A>): Effect.Effect<Next<A>> => {
    switch (step._tag) {
      case "Verify":
        return Effect.match(
          Effect.provideService(timed(verifyWithin(services, step.token), measure), Requester, step.requester()),
          {
            onSuccess: step.verified,
            onFailure: step.rejected
          }
        )
      case "CountMessages":
        return Effect.match(services.limiter.admit(step.caller, step.messages), {
          onSuccess: step.counted,
          onFailure: step.rejected
        })
      case "AuthorizeUpstream":
        return Effect.match(
          Effect.provideService(services.upstream.authorize(step.caller), Requester, step.requester()),
          { onSuccess: step.authorized, onFailure: step.rejected }
        )
      case "OpenSession":
        return Effect.match(services.sessions.open(step.identity, step.sealed), {
          onSuccess: step.opened,
          onFailure: step.rejected
        })
      case "Document":
        return Effect.match(services.discovery(step.name, step.publicUrl), {
          onSuccess: step.received,
          onFailure: step.rejected
        })
      case "Readiness":
        return Effect.match(services.readiness, { onSuccess: step.received, onFailure: step.rejected })
      case "Facade":
        return Effect.match(services.facade(step.request), { onSuccess: step.received, onFailure: step.rejected })
    }
  },
  seal: ({ id, identity, sealed }) => Effect.map(services.sessions.seal(identity, id), sealed)
})
