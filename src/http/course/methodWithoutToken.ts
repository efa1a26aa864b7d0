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
 * Only callers with a token may open a stream of server messages (`GET`) or end a session (`DELETE`). If anyone may
 * begin a session, a `GET` gets 405, which tells clients that there is no stream (MCP 2025-11-25, Streamable HTTP): a
 * 401 would make users sign in without need. In all other cases the response is 401, as without rules.
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
