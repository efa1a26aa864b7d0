import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { AuditEntry } from "../audit/AuditEntry.ts"
import type { Explanation } from "../explain/Explanation.ts"
import type { MetricPoint } from "../metrics/MetricPoint.ts"
import type { ProviderState } from "../verify/ProviderRegistry.ts"
import type { Activity } from "./activity/Activity.ts"
import type { GatewayFacts } from "./gatewayFacts.ts"

/** The result of checking a provider's token for the admin port. */
export type TokenAccess = "Allowed" | "Rejected" | "MissingScopes" | "Unavailable"

/** A token for the admin port, and the address that sent it. */
export interface OfferedToken {
  readonly token: string
  readonly peer: string
}

/** A token to explain, and the request that it would be used for. */
export interface TokenQuestion {
  readonly token: string
  /** The name of an MCP server; empty if the server has no name. */
  readonly server: string
  readonly method?: string
  readonly tool?: string
}

/** The states of the providers, over all processes. */
export interface ProcessStates {
  /** How many processes serve requests, and how many of them replied in time. */
  readonly processes: number
  readonly heard: number
  /** One state for each provider: the worst one if processes differ. */
  readonly states: ReadonlyArray<ProviderState>
}

/**
 * The data and operations behind the admin port, for all processes of the gateway together.
 *
 * A process without workers implements it itself (`node/admin/ownSource.ts`); with workers, the primary asks them
 * (`node/admin/workersSource.ts`). Its values can be written as JSON, because they pass between processes.
 */
export class AdminSource extends Context.Service<AdminSource, {
  /** The values of all metrics, added up over all processes. */
  readonly metrics: Effect.Effect<ReadonlyArray<MetricPoint>>
  /** Verifies a token of a configured provider, and checks that it has all `MCP_ADMIN_SCOPES`. */
  readonly authorize: (offered: OfferedToken) => Effect.Effect<TokenAccess>
  /** The activity since the start, added up over all processes. */
  readonly activity: Effect.Effect<Activity>
  readonly providers: Effect.Effect<ProcessStates>
  /** The latest decisions, the newest first. */
  readonly decisions: Effect.Effect<ReadonlyArray<AuditEntry>>
  /** Explains a token; `undefined` if no MCP server has this name, or no process replied in time. */
  readonly explain: (question: TokenQuestion) => Effect.Effect<Explanation | undefined>
  /** The facts about the current configuration. */
  readonly facts: Effect.Effect<GatewayFacts>
}>()("mcp-authorizer/admin/AdminSource") {}
