/** Checks that apply to every rejected request. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { leaks } from "./canary.ts"
import type { FixtureRequest, GatewayFixture } from "./GatewayFixture.ts"

export interface Rejection {
  readonly status: number
  /** The expected `error` in the body, or in `data` of a JSON-RPC error, which may have none. */
  readonly error: string | undefined
  /** The number of requests that the upstream gets. Default: 0. */
  readonly upstreamRequests?: number
}

/**
 * Sends a request and asserts that the gateway itself rejects it: the upstream gets nothing, the response is a JSON
 * error with CORS and trace fields, neither the response nor the log contains a token, and the next valid request
 * succeeds.
 */
export const assertRejected = Effect.fnUntraced(function*(
  fixture: GatewayFixture["Service"],
  request: FixtureRequest,
  { error, status, upstreamRequests = 0 }: Rejection
) {
  const { forwarded, logs, send, token, upstream } = fixture
  const before = upstream.requests().length
  const { responses: [response], outcome, received } = yield* send(request)
  assert.strictEqual(upstream.requests().length - before, upstreamRequests, "requests that the upstream saw")
  assert.strictEqual(outcome, "Responded")
  if (response === undefined) return assert.fail("no response")
  assert.strictEqual(response.status, status, response.text)
  assert.deepStrictEqual(response.headers("content-type"), ["application/json"])
  assert.deepStrictEqual(response.headers("cache-control"), ["no-store"])
  assert.lengthOf(response.headers("access-control-expose-headers"), 1)
  assert.match(response.headers("x-trace-id").join(), /^[^,]{1,128}$/)
  const body = JSON.parse(response.text)
  assert.strictEqual("jsonrpc" in body ? body.error.data?.error : body.error, error)

  const entries = logs.entries()
  assert.isNotEmpty(entries, "the rejection is not in the log")
  const sent = request.authorization?.replace(/^\S+ +/, "") ?? token
  for (const secret of new Set([sent, token])) {
    if (secret.length >= 8) assert.isEmpty(leaks([Buffer.from(received).toString(), ...entries], secret))
  }
  yield* upstream.reset
  yield* forwarded()
  return response
})
