/** How much of a request the app reads, and when. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, good, rejected, type Verdict } from "./caller.ts"
import { type ClientRequest, message, ping } from "./clientRequest.ts"
import { assertNotForwarded, assertOwnError, assertVerified } from "./ownError.ts"
import { runApp } from "./RunningApp.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { ordinary } from "./upstream.ts"

const block = new Uint8Array(16_384).fill(0x61)

/** A message with an endless body without a length. Counts the blocks that are read. */
const endless = (headers: Readonly<Record<string, string>> = {}) => {
  const taken = { blocks: 0 }
  const request: ClientRequest = {
    ...message(headers, `{"jsonrpc":"2.0","id":1,"method":"`),
    // After 64 MiB, the app counts as having no limit.
    more: () => taken.blocks++ < 4_096 ? block.slice() : undefined
  }
  return { taken, request }
}

const common = { caller: anyCaller, upstream: Arbitrary.Constant(ordinary) }

export const limits: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-74",
      title: "MUST stop reading a body without a length at MCP_MAX_BODY_BYTES, respond 413, and forward none of it",
      source: "RFC 9110, section 15.5.14; RFC 9112, section 7.1; CWE-770",
      runs: 10
    },
    {
      ...common,
      settings: settingsWith({ max_body_bytes: oneOf([1_024, 65_536, undefined]) }),
      verdict: Arbitrary.Constant(good)
    },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const { request, taken } = endless()
      assertOwnError(app, yield* app.send(request), { status: 413, error: "payload_too_large" })
      const limit = circumstances.settings.max_body_bytes ?? 4_194_304
      assert.isAtMost(taken.blocks, Number(limit) / block.length + 16)
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-75",
      title: "MUST verify the token before it reads the body",
      source: "CWE-770; RFC 9110, section 10.1.1",
      runs: 20
    },
    {
      ...common,
      settings: settingsWith({ required_scopes: Arbitrary.Constant("mcp:read") }),
      verdict: either(rejected, Arbitrary.Constant<Verdict>({ _tag: "Unscoped" })),
      headers: oneOf([{}, { authorization: "Basic {token}" }, { authorization: "Bearer wrong" }])
    },
    Effect.fnUntraced(function*({ headers, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const { request, taken } = endless(headers)
      const { status } = yield* app.send(request)
      assert.include([401, 403], status)
      assert.isAtMost(taken.blocks, 4)
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-76",
      title: "MUST reject a token longer than MCP_MAX_TOKEN_BYTES with 431 unverified, and accept one of that length",
      source: "RFC 6585, section 5; CWE-770",
      runs: 10
    },
    {
      ...common,
      settings: anySettings,
      verdict: Arbitrary.Constant(good),
      limit: oneOf([undefined, 1_024, 8_192]),
      over: oneOf([1, 2, 5_000])
    },
    Effect.fnUntraced(function*({ limit, over, settings, ...circumstances }) {
      const bytes = limit ?? 16_384
      const long = { ...circumstances.caller, token: "t".repeat(bytes) }
      const app = yield* runApp({
        ...circumstances,
        settings: limit === undefined ? settings : { ...settings, max_token_bytes: limit },
        others: [long]
      })
      const { relayed } = yield* app.send(message(), long)
      assert.isTrue(relayed, `a token of ${bytes} bytes was rejected`)
      const response = yield* app.send(message(), { ...long, token: "t".repeat(bytes + over) })
      assertOwnError(app, response, { status: 431, error: "request_header_fields_too_large" })
      assertVerified(app, [long.token])
      assert.lengthOf(app.forwarded, 1)
    })
  ),

  requirement(
    {
      id: "APP-77",
      title:
        "MUST accept a body of MCP_MAX_BODY_BYTES, and reject one that is a byte longer, with and without a length",
      source: "RFC 9110, section 15.5.14; CWE-770",
      runs: 12
    },
    {
      ...common,
      settings: settingsWith({ max_body_bytes: oneOf([1_024, 20_000]) }),
      verdict: Arbitrary.Constant(good),
      length: oneOf([true, false]),
      over: oneOf([1, 2, 11])
    },
    Effect.fnUntraced(function*({ length, over, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const limit = Number(circumstances.settings.max_body_bytes)
      const request = (bytes: number): ClientRequest => ({
        ...message({}, ping.padEnd(bytes)),
        ...(length ? {} : { more: () => undefined })
      })
      const { relayed } = yield* app.send(request(limit))
      assert.isTrue(relayed, `a body of ${limit} bytes was rejected`)
      assertOwnError(app, yield* app.send(request(limit + over)), { status: 413, error: "payload_too_large" })
      assert.lengthOf(app.forwarded, 1)
    })
  )
]
