/** Whether a token would be accepted, and why. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { GatewayError, VerificationError } from "../errors/GatewayError.ts"
import { show } from "../errors/show.ts"
import { makeCallerFields } from "../forward/callerFields.ts"
import { summaryOf } from "../http/errorResponse.ts"
import type { Identity } from "../identity/Identity.ts"
import { authContext } from "../message/authContext.ts"
import { typeOf } from "../providers/types.ts"
import { decisive, type InspectedToken } from "../verify/Inspection.ts"
import type { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import type { TokenVerifier } from "../verify/TokenVerifier.ts"
import { callerSteps } from "./callerSteps.ts"
import type { ExplainOptions, Explanation, Step, StepName } from "./Explanation.ts"
import type { FixContext } from "./fixes.ts"
import { type GivenToken, readGiven, secretsOf } from "./form.ts"
import { withoutSecrets } from "./redact.ts"
import { formStep, tokenSteps } from "./tokenSteps.ts"

/** What verifies the tokens of one MCP server. */
export interface ExplainServices {
  readonly settings: GatewaySettings
  readonly registry: ProviderRegistry["Service"]
  /**
   * The verifier of a running gateway, which may have cached verdicts or wrap the providers. Left out if only the
   * providers decide.
   */
  readonly verifier?: TokenVerifier["Service"] | undefined
}

/** Why a token is not accepted. */
interface Reason {
  readonly step: StepName
  readonly error: GatewayError
}

const detailOf = (error: GatewayError): string =>
  ("detail" in error ? error.detail : undefined) ??
    (error._tag === "MissingCredential" ? "there is no token" : error._tag)

const reasonOf = (error: GatewayError): string => "reason" in error ? error.reason : error._tag

const outcomeOf = (
  { errorStyle }: GatewaySettings,
  reason: Reason | undefined,
  identity: Identity | undefined,
  steps: ReadonlyArray<Step>
): Explanation["outcome"] => {
  if (reason !== undefined) {
    const { error, step } = reason
    return {
      decision: error._tag === "ProviderUnavailable" ? "unknown" : "rejected",
      step,
      reason: reasonOf(error),
      detail: detailOf(error),
      response: summaryOf(error, errorStyle)
    }
  }
  const undecided = steps.find(({ verdict }) => verdict === "unknown")
  if (undecided !== undefined || identity === undefined) {
    return {
      decision: "unknown",
      ...(undecided === undefined ? {} : { step: undecided.name }),
      detail: undecided?.found ?? "the caller is not known"
    }
  }
  const who = identity.principal === "client" ? "the program" : "the user"
  const through = identity.clientId === undefined || identity.principal === "client"
    ? ""
    : `, through the client ${show(identity.clientId)}`
  return { decision: "accepted", detail: `the caller is ${who} ${show(identity.subject)}${through}` }
}

const decoder = new TextDecoder()

const upstreamOf = (settings: GatewaySettings, identity: Identity): NonNullable<Explanation["upstream"]> => ({
  headers: makeCallerFields(settings)(identity),
  // The gateway has written this, as an object of strings.
  ...(settings.injectRequestContext === false
    ? {}
    : { authContext: JSON.parse(decoder.decode(authContext(identity))) }),
  token: settings.forwardAuthorization
})

/** Authentication is switched off. */
const unchecked = ({ serverName }: GatewaySettings, given: string): Explanation => ({
  server: serverName,
  token: { form: "unusable", length: given.trim().length },
  steps: [],
  outcome: {
    decision: "accepted",
    detail:
      "MCP_AUTH_ENABLED is false: the gateway lets every request in and checks no token, and the MCP server learns of no caller"
  }
})

/** The issuers whose tokens the gateway accepts, of all of its providers. */
const issuersOf = (settings: GatewaySettings): ReadonlyArray<string> =>
  settings.providers.flatMap((provider) => {
    const own = typeOf(settings, provider).ownTokens(provider)
    return own._tag === "JwtsOf" ? own.issuers : []
  })

const nothingInspected: InspectedToken = { form: "opaque", findings: [] }

const formOf = (given: GivenToken, inspected: InspectedToken | undefined): Explanation["token"]["form"] => {
  if (given.token === undefined || inspected === undefined) return "unusable"
  const parts = Redacted.value(given.token).split(".").length
  return inspected.provider === undefined && parts === 5 ? "encrypted" : inspected.form
}

/** If there is a verifier of a running gateway, it decides. It may disagree with its providers. */
const verifierStep = (
  verified: Result.Result<Identity, VerificationError>,
  accepts: boolean
): { readonly step: Step; readonly reason: Reason | undefined } | undefined => {
  const expected = "the same verdict from the verifier of the running gateway"
  if (Result.isSuccess(verified)) {
    return accepts ? undefined : {
      step: {
        name: "verifier",
        verdict: "pass",
        expected,
        found: "it still accepts the token, by a verdict that it has cached, or by a verifier of the program's own",
        fix: "Wait until the cached verdict ends: 5 minutes at most for tokens that the provider verifies."
      },
      reason: undefined
    }
  }
  const error = verified.failure
  return accepts
    ? {
      step: {
        name: "verifier",
        verdict: error._tag === "ProviderUnavailable" ? "unknown" : "fail",
        expected,
        found: detailOf(error),
        fix:
          "Try again in 10 seconds: a rejection is cached that long. Otherwise a verifier of the program's own rejects the token."
      },
      reason: { step: "verifier", error }
    }
    : undefined
}

/**
 * Explains whether a token would be accepted: every rule in order, the decision, and what the MCP server would see.
 *
 * Sends the requests that the verification would send, and requests the provider's keys once more. The text is taken as
 * it is: a token in quotation marks is not accepted, and the token inside is explained as well. The explanation
 * contains neither the token nor its signature, and nothing is logged or kept.
 *
 * @param given the text that a client would send after `Bearer`
 */
export const explain = Effect.fnUntraced(function*(
  { registry, settings, verifier }: ExplainServices,
  given: Redacted.Redacted<string>,
  options: ExplainOptions = {}
): Effect.fn.Return<Explanation> {
  if (!settings.authEnabled) return unchecked(settings, Redacted.value(given))
  const read = readGiven(Redacted.value(given), settings.maxTokenBytes)
  const inspect = (token: BearerToken) => registry.inspect?.(token) ?? Effect.succeed(nothingInspected)
  const inspected = read.token === undefined ? undefined : yield* inspect(read.token)
  const nowMillis = yield* Clock.currentTimeMillis
  const context: FixContext = {
    claims: inspected?.claims ?? {},
    rules: inspected?.rules ?? {},
    issuers: issuersOf(settings),
    clockDifference: inspected?.clockDifference,
    now: nowMillis / 1000,
    skew: settings.clockSkewSeconds
  }
  const found = inspected === undefined ? undefined : decisive(inspected.findings)
  const byProvider: Reason | undefined = found && { step: found.rule, error: found.error }
  const verified = verifier === undefined || read.token === undefined
    ? undefined
    : yield* Effect.result(verifier.verify(read.token))
  const other = verified && verifierStep(verified, byProvider === undefined)
  const identity = verified !== undefined && Result.isSuccess(verified) ? verified.success : inspected?.identity
  const ofCaller = callerSteps(settings, identity, options, nowMillis)

  const rejectedText: Reason | undefined = read.error && { step: "form", error: read.error }
  const denied = ofCaller.find(({ error }) => error !== undefined)
  const byCaller: Reason | undefined = denied?.error && { step: denied.step.name, error: denied.error }
  const reason = rejectedText ?? (other === undefined ? byProvider : other.reason) ?? byCaller
  const provider = inspected?.provider
  const type = settings.providers.find(({ name }) => name === provider?.name)?.type ?? ""
  const form = formOf(read, inspected)
  const steps = [
    formStep(read, form, context, inspected?.findings.find(({ rule }) => rule === "form")),
    ...(inspected === undefined ? [] : tokenSteps(inspected, context, type)),
    ...(other === undefined ? [] : [other.step]),
    ...(inspected === undefined ? [] : ofCaller.map(({ step }) => step))
  ]
  const outcome = outcomeOf(settings, reason, identity, other === undefined ? steps : ofCaller.map(({ step }) => step))
  const inner = read.differences.length === 0
    ? undefined
    : (other === undefined ? byProvider : other.reason) ?? byCaller
  const elsewise = read.differences.length === 0
    ? ""
    : `. Without ${read.differences.join(" and ")}, it would be ${
      inner === undefined ? "accepted" : `rejected by the rule about ${inner.step}`
    }`
  return withoutSecrets({
    server: settings.serverName,
    token: { form, length: read.length },
    ...(provider === undefined ? {} : { provider: { ...provider, type } }),
    steps,
    ...(outcome.decision === "accepted" && identity !== undefined ? { upstream: upstreamOf(settings, identity) } : {}),
    outcome: { ...outcome, detail: outcome.detail + elsewise },
    ...(context.clockDifference === undefined ? {} : { clockDifference: context.clockDifference })
  }, secretsOf(Redacted.value(given), read.token))
})
