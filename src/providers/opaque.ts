/** What the types have in common whose providers are asked about each token. */
import * as Effect from "effect/Effect"
import type { Provider } from "../config/GatewaySettings.ts"
import { SharedIo } from "../fairness/SharedIo.ts"
import type { ProviderHttp } from "../remote/ProviderHttp.ts"
import { makeGuardedHttp } from "../verify/opaque/guardedHttp.ts"
import { makeReachability, type Probe } from "../verify/opaque/Reachability.ts"
import { negativeMillis } from "../verify/opaque/verdictLife.ts"
import { type AskProvider, makeVerifyOpaque } from "../verify/opaque/VerifyOpaque.ts"
import type { Registration, RegistrationContext } from "./ProviderType.ts"

type Http = ProviderHttp["Service"]

/** Nobody has it, and whoever reads the provider's log sees what it is for. */
export const nobodysToken = "mcp-authorizer-readiness"

/** Makes the verifier: guarded, and watched for whether the provider can be asked. */
export const registerOpaque = Effect.fnUntraced(function*(
  { name }: Provider,
  { clockSkewSeconds }: RegistrationContext,
  http: Http,
  probe: Probe,
  makeAsk: (guarded: Http) => AskProvider
): Effect.fn.Return<Registration> {
  const { current, observed } = yield* makeReachability(name, http, probe)
  return {
    _tag: "Opaque",
    verify: makeVerifyOpaque(name, clockSkewSeconds, makeAsk(makeGuardedHttp(observed, yield* SharedIo))),
    refusalMillis: negativeMillis,
    readiness: Effect.map(current, (state) => ({ ready: state === "ready", state }))
  }
})
