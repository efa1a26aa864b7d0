import * as Context from "effect/Context"
import type { Owner } from "./FairQueue.ts"

/** The owner on whose behalf a request waits. */
export interface Requester extends Owner {
  /** Whether the token was accepted before, so that the client cannot have invented it. */
  readonly isKnown: boolean
}

/** The owner of the current request. Default: one peer without a name. */
export const Requester = Context.Reference<Requester>("mcp-authorizer/fairness/Requester", {
  defaultValue: () => ({ group: "", member: "", isKnown: false })
})
