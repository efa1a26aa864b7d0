/** The second part of the course if a proxy requests a decision: from the admission to the decision. Pure. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import type { Admission } from "../../authorize/Admission.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { DeniedByRule, type GatewayError } from "../../errors/GatewayError.ts"
import { withoutStack } from "../../errors/withoutStack.ts"
import { makeClaimHeaders } from "../../forward/claimHeaders.ts"
import { identityHeaders } from "../../forward/identityHeaders.ts"
import type { Identity } from "../../identity/Identity.ts"
import { identityFields } from "../../identity/identityFields.ts"
import { namedMethods } from "../../message/namedMethods.ts"
import type { Operation } from "../../message/operation.ts"
import type { Policy } from "../../rules/Policy.ts"
import { methodsOf } from "../../rules/subjects.ts"
import type { UpstreamFields } from "../../upstream/UpstreamFields.ts"
import type { Exchange } from "../Exchange.ts"
import { mirroredFields } from "../mirroredFields.ts"
import type { Authorizing } from "./authorizing.ts"
import type { makeLimiting } from "./limiting.ts"
import { carriesMessages, missingCredential } from "./methodWithoutToken.ts"
import type { OwnResponses } from "./ownResponses.ts"
import { makeRuling } from "./ruling.ts"
import type { Next } from "./steps.ts"

/** Methods whose messages name something that rules can match, with its kind. */
const kinds = new Map(
  (["tool", "prompt", "resource"] as const).flatMap((kind) => methodsOf[kind].map((method) => [method, kind] as const))
)

/** Methods whose subject is in `Mcp-Name`; other methods have their subject only in the body. */
const namedInHead: ReadonlySet<string> = new Set(
  namedMethods.filter(({ subject }) => subject !== undefined).map(({ name }) => name)
)

/**
 * Returns the operation of a message by the head of its request; `undefined` if only the body contains it.
 *
 * Only in revisions whose servers must compare the fields with the message (from 2026-07-28 on) can the head stand in
 * for the body.
 */
const operationOf = (exchange: Exchange): Operation | undefined => {
  const { others } = mirroredFields(exchange)
  const method = others === undefined ? undefined : Result.getOrUndefined(others.method)
  if (others === undefined || method === undefined) return undefined
  const kind = kinds.get(method)
  if (kind === undefined) return { method, subject: undefined, arguments: undefined }
  const name = namedInHead.has(method) ? Result.getOrUndefined(others.name) : undefined
  return name === undefined ? undefined : { method, subject: { kind, name }, arguments: undefined }
}

/**
 * The names of all fields about a caller that the MCP server may get, each with an empty value. Proxies that copy the
 * fields of the decision thus overwrite what a client has sent under these names.
 */
const makeDecisionFields = ({ forwardClaims, identityHeaders: withIdentity, upstreamAuth }: GatewaySettings) => {
  const claimHeaders = makeClaimHeaders(forwardClaims)
  const names = [
    ...(withIdentity ? identityFields : []),
    ...forwardClaims.map(({ field }) => field),
    ...(upstreamAuth._tag === "IdentityJwt" ? [upstreamAuth.field] : [])
  ]
  const empty = Object.fromEntries(names.map((name) => [name, ""]))
  return (identity: Identity | undefined): Record<string, string> => ({
    "cache-control": "no-store",
    ...empty,
    ...(identity === undefined || !withIdentity ? {} : identityHeaders(identity)),
    ...(identity === undefined ? {} : claimHeaders(identity))
  })
}

const onlyInBody = "it needs the arguments, and a proxy asks about the head of the request alone"

/**
 * The rules for requests whose arguments are unknown. A condition on arguments counts as an error, which denies, unless
 * the operator allows such requests: then it counts as true.
 */
const policyForHeads = (policy: Policy, allowsUnread: boolean): Policy => ({
  ...policy,
  rules: policy.rules.map((rule) => {
    const { when } = rule
    if (when?.needsArguments !== true) return rule
    return { ...rule, when: allowsUnread ? undefined : { ...when, test: () => ({ error: onlyInBody }) } }
  })
})

const unread = (): DeniedByRule =>
  withoutStack(() =>
    new DeniedByRule({
      rule: undefined,
      detail: "the rules need the message, and a proxy asks about the head alone: see MCP_FORWARD_AUTH_UNREAD"
    })
  )

/**
 * Builds the last step if a proxy requests a decision: 200 with the fields about the caller, or the error for the
 * client.
 *
 * The body is unknown, so no session is opened, and rules that need the body deny, unless the operator allows such
 * requests.
 *
 * @param nowMillis returns the time of day
 */
export const makeDeciding = (
  settings: GatewaySettings,
  { reject, respond }: OwnResponses,
  limiting: ReturnType<typeof makeLimiting>,
  authorizing: Authorizing,
  nowMillis: () => number
) => {
  const { forwardAuthUnread, policy, upstreamAuth } = settings
  // // A fixed secret or a provider's token is valid elsewhere too, and a misconfigured proxy could return it to a
  // client.
  const vouches = upstreamAuth._tag === "IdentityJwt"
  const allowsUnread = forwardAuthUnread === "allow"
  const ruling = policy && makeRuling(settings, policyForHeads(policy, allowsUnread), nowMillis)
  const fieldsOf = makeDecisionFields(settings)

  const admit = (exchange: Exchange, admission: Admission | undefined): Result.Result<Admission, GatewayError> => {
    const operation = operationOf(exchange)
    if (ruling !== undefined && operation !== undefined && carriesMessages(exchange.request.method)) {
      return ruling.operations(exchange, admission, [operation])
    }
    if (operation !== undefined) exchange.operations = [operation]
    if (admission === undefined) return Result.fail(missingCredential())
    return ruling === undefined || allowsUnread || !carriesMessages(exchange.request.method)
      ? Result.succeed(admission)
      : Result.fail(unread())
  }

  return <A>(exchange: Exchange, admission: Admission | undefined): Next<A> => {
    const admitted = admit(exchange, admission)
    if (Result.isFailure(admitted)) return reject(exchange, admitted.failure)
    const { identity } = admitted.success
    const allow = (more: UpstreamFields) =>
      respond(exchange, HttpServerResponse.empty({ status: 200, headers: { ...fieldsOf(identity), ...more } }))
    return limiting.count(
      exchange,
      identity,
      undefined,
      () => vouches ? authorizing(exchange, identity, allow) : allow({})
    )
  }
}
