/** The messages that reach the MCP server. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { Identity } from "../../identity/Identity.ts"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, good } from "./caller.ts"
import { message, ping } from "./clientRequest.ts"
import { onlyForwarded } from "./forwardedFields.ts"
import { messageText, ordinaryText } from "./jsonMessage.ts"
import { assertNotForwarded, assertOwnError } from "./ownError.ts"
import { runApp } from "./RunningApp.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { ordinary, respondWith } from "./upstream.ts"

const admitted = {
  settings: anySettings,
  caller: anyCaller,
  verdict: Arbitrary.Constant(good),
  upstream: Arbitrary.Constant(ordinary)
}

const decoder = new TextDecoder("utf-8", { fatal: true })

/** The caller's identity inside a message to the MCP server. */
const authContext = ({ email, provider, subject }: Identity) => ({
  authenticated_user: subject,
  email: email ?? null,
  provider
})

const result = { protocolVersion: "2025-11-25", serverInfo: { name: "server", version: "1" }, capabilities: {} }

export const forwardedBodies: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-70",
      title: "MUST forward a message byte for byte, but remove a client's _authContext wherever it stands",
      source: "JSON-RPC 2.0, section 4; RFC 8259, sections 4 and 6; src/forward/README.md, What the MCP server sees",
      runs: 80
    },
    { ...admitted, text: ordinaryText },
    Effect.fnUntraced(function*({ text, ...circumstances }) {
      const app = yield* runApp(circumstances)
      yield* app.send(message({}, text.forged))
      assert.strictEqual(decoder.decode(onlyForwarded(app).body), text.clean)
    })
  ),

  requirement(
    {
      id: "APP-71",
      title: "MUST add the verified caller to initialize as the only _authContext, and change nothing else",
      source: "src/forward/README.md, What the MCP server sees",
      runs: 80
    },
    { ...admitted, text: messageText("initialize") },
    Effect.fnUntraced(function*({ text, ...circumstances }) {
      const app = yield* runApp(circumstances)
      yield* app.send(message({}, text.forged))
      const sent = decoder.decode(onlyForwarded(app).body)
      assert.lengthOf([...sent.matchAll(/"[^"]*(?:_|\\u005f)auth(?:c|\\u0043)ontext[^"]*":/gi)], 1, sent)
      const { params: { _authContext, ...params }, ...rest } = JSON.parse(sent)
      assert.deepStrictEqual(_authContext, authContext(app.identity))
      assert.deepStrictEqual({ params, ...rest }, { params: {}, ...JSON.parse(text.clean) })
    })
  ),

  requirement(
    {
      id: "APP-72",
      title: "MUST tell the client its identity in the response to initialize, and change nothing else",
      source: "src/forward/README.md, What the MCP server sees",
      runs: 30
    },
    {
      ...admitted,
      upstream: oneOf([
        respondWith(200, JSON.stringify({ jsonrpc: "2.0", id: 1, result }), { "content-type": "application/json" }),
        respondWith(
          200,
          JSON.stringify({ jsonrpc: "2.0", id: 1, result }),
          { "content-type": "application/json" },
          true
        ),
        respondWith(
          200,
          `event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", id: 1, result })}\n\n`,
          { "content-type": "text/event-stream" },
          true
        )
      ])
    },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const response = yield* app.send(message({}, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`))
      const events = response.headers.get("content-type") === "text/event-stream"
      const { result: { serverInfo: { authInfo, ...serverInfo }, ...rest } } = JSON.parse(
        events ? /^event: message\ndata: (.*)\n\n$/.exec(response.text)?.[1] ?? "" : response.text
      )
      assert.deepStrictEqual(authInfo, authContext(app.identity))
      assert.deepStrictEqual({ serverInfo, ...rest }, result)
    })
  ),

  requirement(
    {
      id: "APP-73",
      title: "MUST reject anything but one unambiguous JSON message of bounded size, and forward none of it",
      source: "JSON-RPC 2.0, section 4; RFC 8259, section 4; RFC 9110, sections 15.5.1, 15.5.14 and 15.5.16",
      runs: 80
    },
    {
      ...admitted,
      settings: settingsWith({ max_body_bytes: Arbitrary.Constant(2048) }),
      rejected: oneOf([
        [400, "invalid_request", message({}, "")],
        [400, "invalid_request", message({}, "{")],
        [400, "invalid_request", message({}, `${ping} ${ping}`)],
        [400, "invalid_request", message({}, "[]")],
        [400, "invalid_request", message({}, "null")],
        [400, "invalid_request", message({}, `\ufeff${ping}`)],
        [400, "invalid_request", message({}, `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}`)],
        [400, "invalid_request", message({}, `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}`)],
        [400, "invalid_request", message({}, `{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`)],
        [400, "invalid_request", message({}, `{"method":"initialize","params":[]}`)],
        [400, "invalid_request", message({}, `[{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}]`)],
        [400, "invalid_request", message({}, `{"a":${"[".repeat(300)}${"]".repeat(300)}}`)],
        [413, "payload_too_large", message({}, `{"a":"${"a".repeat(2048)}"}`)],
        [415, "unsupported_media_type", message({ "content-type": "text/plain" })],
        [415, "unsupported_media_type", message({ "content-type": "application/x-www-form-urlencoded" })],
        [415, "unsupported_media_type", message({ "content-type": "application/json; charset=utf-7" })],
        [415, "unsupported_media_type", message({ "content-encoding": "gzip" })]
      ])
    },
    Effect.fnUntraced(function*({ rejected: [status, error, request], ...circumstances }) {
      const app = yield* runApp(circumstances)
      assertOwnError(app, yield* app.send(request), { status, error })
      assertNotForwarded(app)
    })
  )
]
