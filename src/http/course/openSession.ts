import type { Admission } from "../../authorize/Admission.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { type BoundSession, sessionField } from "../../forward/SessionSeal.ts"
import type { Exchange } from "../Exchange.ts"
import type { OwnResponses } from "./ownResponses.ts"
import type { Next } from "./steps.ts"

/**
 * Builds the step that finds the session of an admitted request; `undefined` where sessions are not bound: the operator
 * switched that off, or there is no caller.
 */
export const makeOpenSession = ({ bindSessions }: GatewaySettings, { reject }: OwnResponses) =>
<A>(
  exchange: Exchange,
  { identity }: Admission,
  opened: (session: BoundSession | undefined) => Next<A>
): Next<A> => {
  if (!bindSessions || identity === undefined) return opened(undefined)
  const sealed = exchange.request.headers[sessionField]
  if (sealed === undefined) return opened({ identity, id: undefined, sealed })
  return { _tag: "OpenSession", identity, sealed, opened, rejected: (error) => reject(exchange, error) }
}
