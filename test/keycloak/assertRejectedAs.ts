import { assert } from "@effect/vitest"
import type { Outcome } from "./gateways.ts"

/** Asserts that a token was rejected with 401, with this description if one is given, and that the server saw nothing. */
export const assertRejectedAs = (outcome: Outcome, description?: string): void => {
  const { challenge, description: found, forwarded, status } = outcome
  assert.strictEqual(status, 401, JSON.stringify(outcome))
  if (description !== undefined) assert.strictEqual(found, description)
  assert.match(challenge ?? "", /^Bearer error="invalid_token", /)
  assert.isUndefined(forwarded("host"), "the request reached the MCP server")
}
