import * as Context from "effect/Context"
import type { Owner } from "./FairQueue.ts"

/** The owner on whose behalf a request waits. */
export interface Requester extends Owner {
  /** The token was valid when it was last verified, so the client did not invent it. */
  readonly isKnown: boolean
}

/** The owner of the current request; one nameless peer unless a driver provides it. */
export const Requester = Context.Reference<Requester>("mcp-authorizer/fairness/Requester", {
  defaultValue: () => ({ group: "", member: "", isKnown: false })
})
