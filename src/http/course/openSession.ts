import type { Admission } from "../../authorize/Admission.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { type BoundSession, sessionField } from "../../forward/SessionSeal.ts"
import type { Exchange } from "../Exchange.ts"
import type { OwnResponses } from "./ownResponses.ts"
import type { Next } from "./steps.ts"

/**
 * Builds the step that finds the session of a request; `undefined` where sessions are not bound: the operator switched that
 * off, or authentication altogether.
 */
export const makeOpenSession = ({ authEnabled, bindSessions }: GatewaySettings, { reject }: OwnResponses) =>
<A>(
  exchange: Exchange,
  admission: Admission | undefined,
  opened: (session: BoundSession | undefined) => Next<A>
): Next<A> => {
  if (!bindSessions || !authEnabled) return opened(undefined)
  const identity = admission?.identity
  const sealed = exchange.request.headers[sessionField]
  if (sealed === undefined) return opened({ identity, id: undefined, sealed })
  return { _tag: "OpenSession", identity, sealed, opened, rejected: (error) => reject(exchange, error) }
}
