import * as Result from "effect/Result"
import { MethodNotAllowed, MissingCredential } from "../../errors/GatewayError.ts"
import { withoutStack } from "../../errors/withoutStack.ts"
import type { Policy } from "../../rules/Policy.ts"
import { letsAnyoneBegin } from "../../rules/publicRules.ts"

export const missingCredential = (): MissingCredential => withoutStack(() => new MissingCredential())

const withMessages: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"])

/** Whether requests with this method carry messages, which rules decide about. */
export const carriesMessages = (method: string): boolean => withMessages.has(method)

/**
 * Builds the check of the HTTP method of a request without a token, if rules allow something to anyone.
 *
 * A stream of what the server sends on its own (`GET`), and the end of a session (`DELETE`), are for callers with a
 * token. If anyone may begin a session, a request for a stream gets 405, which tells clients that there is no stream
 * (MCP 2025-11-25, Streamable HTTP). A 401 would make people log in without need. Elsewhere it is 401, as without
 * rules.
 */
export const makeMethodWithoutToken = (policy: Policy | undefined) => {
  const anyoneBegins = policy !== undefined && letsAnyoneBegin(policy)
  return (method: string): Result.Result<void, MethodNotAllowed | MissingCredential> => {
    if (carriesMessages(method)) return Result.void
    return Result.fail(
      anyoneBegins ? new MethodNotAllowed({ allow: ["POST", "OPTIONS"] }) : missingCredential()
    )
  }
}
