/**
 * Whether a token would be accepted, rule by rule: the data of `mcp-authorizer explain --json` and of the status page.
 */
import * as Schema from "effect/Schema"
import type { Json } from "../identity/Json.ts"
import { ruleNames } from "../verify/TokenRule.ts"

/** The steps of an explanation, in the order in which it lists them: the rules about the token, then those about its caller. */
export const stepNames = [...ruleNames, "callers", "required scopes", "rules"] as const

/** One of `stepNames`. */
export type StepName = (typeof stepNames)[number]

/**
 * The verdict of a step. `skipped`: the step does not apply, or something that it needs is missing. `unknown`: the
 * provider could not be reached.
 */
export const verdicts = ["pass", "fail", "skipped", "unknown"] as const

/** One rule, and what it finds in the token. */
export const Step = Schema.Struct({
  name: Schema.Literals(stepNames),
  verdict: Schema.Literals(verdicts),
  /** What the rule expects, according to the settings or a specification. */
  expected: Schema.String,
  /** What the token has. Unproven unless the step `signature` or `endpoint` passes. */
  found: Schema.String,
  /** What to do. Present if the verdict is `fail` or `unknown`, and if a passing step is unwise. */
  fix: Schema.optionalKey(Schema.String)
})

/** One rule, and what it finds in the token. */
export type Step = typeof Step.Type

/** The response that a client gets for a request with the token. */
export const ClientResponse = Schema.Struct({
  status: Schema.Int,
  error: Schema.String,
  description: Schema.String
})

/** What the gateway decides about the token. */
export const Outcome = Schema.Struct({
  /**
   * `unknown`: the provider could not be reached. The gateway rejects such requests with 500, and clients try again.
   */
  decision: Schema.Literals(["accepted", "rejected", "unknown"]),
  /** The step that decides, if the token is not accepted: the first failed one in the gateway's own order. */
  step: Schema.optionalKey(Schema.Literals(stepNames)),
  /** The reason in the gateway's log, such as `InvalidAudience`. */
  reason: Schema.optionalKey(Schema.String),
  /** The reason in one sentence, as the gateway's log has it. */
  detail: Schema.String,
  response: Schema.optionalKey(ClientResponse)
})

/** What the MCP server gets about the caller. */
export const Upstream = Schema.Struct({
  /** The fields of each forwarded request that describe the caller. Lower-case names. */
  headers: Schema.Record(Schema.String, Schema.String),
  /** `params._authContext` of `initialize`; absent if the gateway adds none. */
  authContext: Schema.optionalKey(Schema.Record(Schema.String, Schema.NullOr(Schema.String))),
  /** Whether the token itself is forwarded (`MCP_FORWARD_AUTHORIZATION`). */
  token: Schema.Boolean
})

export const ResponsibleProvider = Schema.Struct({
  name: Schema.String,
  type: Schema.String,
  /** Why this provider is responsible, in words. */
  chosenBy: Schema.String
})

/**
 * Whether a token would be accepted, and why.
 *
 * Contains neither the token nor its signature. Values of claims are unproven unless the token is accepted.
 */
export const Explanation = Schema.Struct({
  /** The name of the MCP server that the token is for; empty if the gateway has only one. */
  server: Schema.String,
  token: Schema.Struct({
    form: Schema.Literals(["jwt", "opaque", "listed", "encrypted", "unusable"]),
    /** In characters, including surrounding text. */
    length: Schema.Int
  }),
  provider: Schema.optionalKey(ResponsibleProvider),
  steps: Schema.Array(Step),
  /** Present if the token is accepted. */
  upstream: Schema.optionalKey(Upstream),
  outcome: Outcome,
  /** How far the provider's clock is ahead of this one, in seconds; negative if it is behind. Absent if it is not known. */
  clockDifference: Schema.optionalKey(Schema.Finite)
})

/** Whether a token would be accepted, and why. */
export type Explanation = typeof Explanation.Type

/** The message to check against the rules of the MCP server (`MCP_RULES`). */
export interface ExplainOptions {
  /** A JSON-RPC method. Default: `tools/call` if there is a tool. Without either, the rules are not checked. */
  readonly method?: string | undefined
  readonly tool?: string | undefined
  /** The arguments of the call, for rules with conditions on them. */
  readonly arguments?: Json | undefined
}
