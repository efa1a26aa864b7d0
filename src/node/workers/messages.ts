/**
 * The messages between the primary and its workers. Both ends are this program, so messages are not validated.
 */
import type { Activity } from "../../admin/activity/Activity.ts"
import type { OfferedToken, TokenAccess, TokenQuestion } from "../../admin/AdminSource.ts"
import type { GatewayFacts } from "../../admin/gatewayFacts.ts"
import type { AuditEntry } from "../../audit/AuditEntry.ts"
import type { Problem } from "../../config/InvalidConfiguration.ts"
import type { Sources } from "../../config/resolve.ts"
import type { Explanation } from "../../explain/Explanation.ts"
import type { MetricPoint } from "../../metrics/MetricPoint.ts"
import type { ProviderState } from "../../verify/ProviderRegistry.ts"

/** The first argument of a worker. It is visible in the list of processes. */
export const workerArgument = "worker"

export interface Configuration {
  /** 1 at start, one more with each reload. */
  readonly generation: number
  /** Not read again by each worker: the sources may have changed since the primary checked them. */
  readonly sources: Sources
}

export type Preparation =
  | { readonly _tag: "Prepared"; readonly notReady: ReadonlyArray<string> }
  | { readonly _tag: "Unusable"; readonly problems: ReadonlyArray<Problem> }

/** The order that a worker gets once it has reported that it listens. */
export interface Start extends Configuration {
  readonly _tag: "Start"
  /** 1 for the first. A worker that replaces another one has the same number. */
  readonly number: number
  /** Never 0: all workers must have the same port. */
  readonly port: number
}

/** The requests from the primary to its workers, for the admin port and for reloads: their parameters and replies. */
export interface Questions {
  readonly metrics: { readonly input: undefined; readonly reply: ReadonlyArray<MetricPoint> }
  readonly authorize: { readonly input: OfferedToken; readonly reply: TokenAccess }
  readonly activity: { readonly input: undefined; readonly reply: Activity }
  readonly providers: { readonly input: undefined; readonly reply: ReadonlyArray<ProviderState> }
  readonly decisions: { readonly input: undefined; readonly reply: ReadonlyArray<AuditEntry> }
  readonly facts: { readonly input: undefined; readonly reply: GatewayFacts }
  /** `null`: no MCP server has the name. */
  readonly explain: { readonly input: TokenQuestion; readonly reply: Explanation | null }
  /** Builds a configuration that requests do not take yet. */
  readonly prepare: { readonly input: Configuration; readonly reply: Preparation }
  /** Makes the prepared configuration with this number current; `false` if another one, or nothing, is prepared. */
  readonly commit: { readonly input: number; readonly reply: boolean }
  /** Discards the prepared configuration, if any. */
  readonly discard: { readonly input: undefined; readonly reply: boolean }
}

/** The name of a question. */
export type QuestionName = keyof Questions

/** One question, with the number that its reply repeats. */
export type Ask = {
  readonly [N in QuestionName]: {
    readonly _tag: "Ask"
    readonly id: number
    readonly name: N
    readonly input: Questions[N]["input"]
  }
}[QuestionName]

/** Messages from the primary to a worker. */
export type Order = Start | Ask | { readonly _tag: "Ping" } | { readonly _tag: "Reopen" }

/** Messages from a worker to the primary. */
export type Report =
  | { readonly _tag: "Awake" }
  | { readonly _tag: "Ready"; readonly url: string }
  | { readonly _tag: "Pong" }
  | { readonly _tag: "Reply"; readonly id: number; readonly reply: unknown }
