import type { Admission } from "../../authorize/Admission.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { type BoundSession, sessionField } from "../../forward/SessionSeal.ts"
import { hasMirrors } from "../../message/mirrors.ts"
import type { Exchange } from "../Exchange.ts"
import type { OwnResponses } from "./ownResponses.ts"
import type { Next } from "./steps.ts"

/**
 * Builds the step that finds the session of a request; `undefined` if the operator has switched the binding of
 * sessions, or authentication, off.
 *
 * MCP 2026-07-28 has no sessions, and its servers ignore the field. So a request that names this revision or a later
 * one does not belong to a session. Its message is compared with the fields once it has arrived (`mirroredFields.ts`).
 */
export const makeOpenSession = ({ authEnabled, bindSessions }: GatewaySettings, { reject }: OwnResponses) =>
<A>(
  exchange: Exchange,
  admission: Admission | undefined,
  opened: (session: BoundSession | undefined) => Next<A>
): Next<A> => {
  if (!bindSessions || !authEnabled) return opened(undefined)
  const identity = admission?.identity
  const { headers } = exchange.request
  const sealed = headers[sessionField]
  if (sealed === undefined || hasMirrors(headers["mcp-protocol-version"] ?? "")) {
    return opened({ identity, id: undefined, sealed: undefined })
  }
  return { _tag: "OpenSession", identity, sealed, opened, rejected: (error) => reject(exchange, error) }
}
