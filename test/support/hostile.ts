/** Checks that apply to every hostile request, for requests in bytes. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { ping } from "../fixtures/messages.ts"
import { leaks } from "./canary.ts"
import { type FixtureRequest, type GatewayFixture } from "./GatewayFixture.ts"
import { rawExchange, rawRequest } from "./rawHttp.ts"

/** Text is sent with one byte for each character; an array is sent in pieces. */
export type Bytes = string | ReadonlyArray<string>

/**
 * Builds a hostile request with a secret that is made for it and used as the invalid token, together with the same
 * request without the hostile change. Default: the fixture's valid request.
 */
export type Hostile = readonly [name: string, bytes: (secret: string) => Bytes, control?: FixtureRequest]

/** The expected rejection. */
export interface Rejection {
  readonly status: number
  /** The `error` member of the body. */
  readonly error: string
  /** Whether the gateway closes the connection after its one response, regardless of what else was sent. */
  readonly closes?: boolean
}

/** A `POST` with a body and `Content-Length`. `lines` follow the host, and may frame the body differently. */
export const post = (lines: ReadonlyArray<string>, target = "/mcp", body = ping): string =>
  rawRequest([
    `POST ${target} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body, "latin1")}`,
    ...lines
  ], body)

/** A raw request line and fields, with a host and without a body. */
export const bare = (requestLine: string, ...lines: ReadonlyArray<string>): string =>
  rawRequest([`${requestLine} HTTP/1.1`, "Host: 127.0.0.1", ...lines])

// Texts that no response may contain: stack frames, module paths, versions of software.
const betrayal = /\n\s+at |node_modules|node:internal|\.tsx?:\d|\bundici\b|\bEffect\b|\bjose\b|Node\.js/

/**
 * Sends a hostile request and asserts that the gateway itself rejects it.
 *
 * Exactly one response is sent: JSON without unnecessary information, with CORS and trace fields, and with a challenge
 * if and only if it is required. The upstream gets nothing, neither the response nor the log at any level contains a
 * secret, and the same request without the hostile change gets 200 right afterwards.
 */
export const assertHostile = Effect.fnUntraced(function*(
  fixture: GatewayFixture["Service"],
  { closes = false, error, status }: Rejection,
  ...[name, bytes, control]: Hostile
) {
  const { forwarded, gateway, logs, reset, token, upstream } = fixture
  yield* reset
  const secret = `canary-${randomUUID()}`
  const { responses, outcome, received, rest } = yield* rawExchange(gateway.origin, bytes(secret), {
    responses: closes ? Infinity : 1
  })
  assert.strictEqual(outcome, closes ? "Closed" : "Responded", name)
  const [response, ...more] = responses.filter(({ status }) => status >= 200)
  if (response === undefined) return assert.fail(`${name}: no response`)
  assert.strictEqual(response.status, status, `${name}: ${response.text}`)
  assert.isEmpty([...more.map(({ statusLine }) => statusLine), ...rest], `${name}: more than one response`)

  assert.deepStrictEqual(response.headers("content-type"), ["application/json"], name)
  assert.deepStrictEqual(response.headers("cache-control"), ["no-store"], name)
  assert.deepStrictEqual(response.headers("x-content-type-options"), ["nosniff"], name)
  assert.lengthOf(response.headers("access-control-expose-headers"), 1, name)
  assert.match(response.headers("x-trace-id").join(), /^[^,]{1,128}$/, name)
  assert.isEmpty([...response.headers("server"), ...response.headers("x-powered-by")], name)
  const body = JSON.parse(response.text)
  assert.deepStrictEqual(Object.keys(body), ["error", "error_description"], name)
  assert.strictEqual(body.error, error, name)
  const text = Buffer.from(received).toString("latin1")
  assert.notMatch(text, betrayal, name)
  assert.notInclude(text, new URL(upstream.origin).host, name)
  const challenges = response.headers("www-authenticate")
  assert.lengthOf(challenges, status === 401 || status === 403 ? 1 : 0, name)
  for (const challenge of challenges) assert.strictEqual(parseChallenge(challenge).scheme, "Bearer", name)

  assert.isEmpty(upstream.requests(), `${name}: the upstream saw a request`)
  yield* forwarded(control)
  assert.lengthOf(upstream.requests(), 1, `${name}: the upstream saw more than the control`)
  for (const canary of [secret, token]) assert.isEmpty(leaks([text, ...logs.entries()], canary), name)
  return response
})

/** Asserts that each request in a table is rejected in the same way. */
export const assertAllHostile = (
  fixture: GatewayFixture["Service"],
  rejection: Rejection,
  table: ReadonlyArray<Hostile>
) => Effect.forEach(table, (hostile) => assertHostile(fixture, rejection, ...hostile), { discard: true })
