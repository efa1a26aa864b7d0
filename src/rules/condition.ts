/** An expression over the caller and the message that a rule requires to be true. */
import type { Identity } from "../identity/Identity.ts"
import type { Operation } from "../message/operation.ts"

/** What an expression can see. */
export interface ConditionInput {
  readonly identity: Identity
  readonly claims: Identity["claims"]
  /** The method, the name of the tool or prompt or the URI of the resource, and the arguments. */
  readonly message: Operation
  /** The name of the MCP server (`servers[].name`); empty for the only one. */
  readonly server: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** A compiled expression. */
export interface Condition {
  /** As the operator wrote it. */
  readonly text: string
  /** Whether it looks at the arguments of a message, so that it cannot be evaluated for an item of a list. */
  readonly needsArguments: boolean
  /** Evaluates it. Never throws, and is bounded in time. */
  readonly test: (input: ConditionInput) => "true" | "false" | { readonly error: string }
}
