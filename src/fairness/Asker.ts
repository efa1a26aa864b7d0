import * as Context from "effect/Context"
import type { Owner } from "./FairQueue.ts"

/** On whose behalf something is waited for. */
export interface Asker extends Owner {
  /** The token was good when it was last looked at: nobody can invent such. */
  readonly isKnown: boolean
}

/** Who asks now; one nameless peer, unless somebody who has seen the request says otherwise. */
export const Asker = Context.Reference<Asker>("mcp-authorizer/fairness/Asker", {
  defaultValue: () => ({ group: "", member: "", isKnown: false })
})
