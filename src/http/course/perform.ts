import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import type { GatewayError } from "../../errors/GatewayError.ts"
import { Asker } from "../../fairness/Asker.ts"
import type { SessionSeal } from "../../forward/SessionSeal.ts"
import type { TokenVerifier } from "../../verify/TokenVerifier.ts"
import type { makeDiscovery } from "../discovery.ts"
import type { HeadStep, Next, SealSession, Waiting } from "./steps.ts"

/** The services that steps of the course wait for. */
export interface PerformServices {
  readonly verifier: TokenVerifier["Service"]
  readonly sessions: SessionSeal
  readonly discovery: Effect.Success<ReturnType<typeof makeDiscovery>>
  readonly readiness: Effect.Effect<HttpServerResponse, GatewayError>
}

/** Takes the steps that wait for a service, for every driver that can run an effect. */
export interface Perform {
  readonly step: <A>(step: Waiting<A>) => Effect.Effect<Next<A>>
  readonly seal: (step: SealSession) => Effect.Effect<HeadStep>
}

/** Builds what takes the steps that wait for a service. */
export const makePerform = ({ discovery, readiness, sessions, verifier }: PerformServices): Perform => ({
  step: <A>(step: Waiting<A>): Effect.Effect<Next<A>> => {
    switch (step._tag) {
      case "Verify": {
        const token = step.token()
        if (Result.isFailure(token)) return Effect.succeed(step.rejected(token.failure))
        return Effect.match(Effect.provideService(verifier.verify(token.success), Asker, step.asker()), {
          onSuccess: step.verified,
          onFailure: step.rejected
        })
      }
      case "OpenSession":
        return Effect.match(sessions.open(step.identity, step.sealed), {
          onSuccess: step.opened,
          onFailure: step.rejected
        })
      case "Document":
        return Effect.match(discovery(step.name, step.publicUrl), {
          onSuccess: step.received,
          onFailure: step.rejected
        })
      case "Readiness":
        return Effect.match(readiness, { onSuccess: step.received, onFailure: step.rejected })
    }
  },
  seal: ({ id, identity, sealed }) => Effect.map(sessions.seal(identity, id), sealed)
})
