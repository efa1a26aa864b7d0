/** All steps, in the order of a client. */
import type { Rule } from "./Finding.ts"
import type { Step } from "./Step.ts"
import { address } from "./steps/address.ts"
import { authorizationServer } from "./steps/authorizationServer.ts"
import { browsers } from "./steps/browsers.ts"
import { challenge } from "./steps/challenge.ts"
import { keys } from "./steps/keys.ts"
import { origin } from "./steps/origin.ts"
import { probes } from "./steps/probes.ts"
import { protocol } from "./steps/protocol.ts"
import { resourceMetadata } from "./steps/resourceMetadata.ts"
import { signIn } from "./steps/signIn.ts"
import { streams } from "./steps/streams.ts"
import { token } from "./steps/token.ts"

export const steps: ReadonlyArray<Step> = [
  address,
  challenge,
  resourceMetadata,
  authorizationServer,
  signIn,
  keys,
  token,
  protocol,
  streams,
  probes,
  browsers,
  origin
]

/** All findings that the doctor can report, by code. */
export const rules: ReadonlyMap<string, { readonly step: Step; readonly rule: Rule }> = new Map(
  steps.flatMap((step) => Object.entries(step.rules).map(([code, rule]) => [code, { step, rule }]))
)
