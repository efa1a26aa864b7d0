import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { MetricPoint } from "../metrics/MetricPoint.ts"

/** What the token of a configured provider is worth on the admin port. */
export type TokenAccess = "Allowed" | "Rejected" | "MissingScopes" | "Unavailable"

/** A token that asks to read the admin port, and the address that it came from. */
export interface OfferedToken {
  readonly token: string
  readonly peer: string
}

/**
 * What the admin port shows and asks, for all processes of the gateway together.
 *
 * Alone, a process implements it from itself (`node/admin/ownSource.ts`); with workers, the primary asks them
 * (`node/admin/workersSource.ts`). Its values are data that JSON can hold, because they pass between processes.
 */
export class AdminSource extends Context.Service<AdminSource, {
  /** The values of all metrics, added up over all processes. */
  readonly metrics: Effect.Effect<ReadonlyArray<MetricPoint>>
  /** Verifies a token of a configured provider, and checks that it has all `MCP_ADMIN_SCOPES`. */
  readonly authorize: (offered: OfferedToken) => Effect.Effect<TokenAccess>
}>()("mcp-authorizer/admin/AdminSource") {}
