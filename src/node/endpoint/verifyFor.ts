import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type { BearerToken } from "../../credential/BearerToken.ts"
import type { VerificationError } from "../../errors/GatewayError.ts"
import { Asker } from "../../fairness/Asker.ts"
import { askerOf } from "../../http/asker.ts"
import type { Exchange } from "../../http/Exchange.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { Means } from "./Means.ts"

/** What a verification came to. */
export type Verified =
  | { readonly _tag: "Identity"; readonly identity: Identity }
  | { readonly _tag: "Refused"; readonly error: VerificationError }
  | { readonly _tag: "Fault"; readonly defect: unknown }

const ofExit = (exit: Exit.Exit<Identity, VerificationError>): Verified => {
  if (Exit.isSuccess(exit)) return { _tag: "Identity", identity: exit.value }
  const failed = Cause.findError(exit.cause)
  return Result.isSuccess(failed)
    ? { _tag: "Refused", error: failed.success }
    : { _tag: "Fault", defect: Cause.squash(exit.cause) }
}

/** Verifies a token on behalf of the peer that an exchange is with; the fiber is for giving it up. */
export const verifyFor = (
  { run, settings, verifier }: Pick<Means, "run" | "settings" | "verifier">,
  { request, trustedPeer }: Pick<Exchange, "request" | "trustedPeer">,
  token: BearerToken,
  done: (verified: Verified) => void
): Fiber.Fiber<Identity, VerificationError> => {
  const asker = askerOf(settings.trustedProxies, request, trustedPeer)
  const fiber = run(Effect.provideService(verifier.verify(token), Asker, asker))
  fiber.addObserver((exit) => done(ofExit(exit)))
  return fiber
}
