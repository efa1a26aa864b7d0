/** Calls of tools that lack a token or scopes, on servers that reject them by a result of the tool. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { staticProvider, staticToken } from "../fixtures/providers.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { respond } from "../support/upstreamResponses.ts"

interface Gateways {
  readonly upstream: RecordingUpstream
  readonly node: string
  readonly effect: string
  readonly http: string
}

class Peers extends Context.Service<Peers, Gateways>()("mcp-authorizer/test/http/stepUp/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const own = settings(upstream.origin, {
        providers: [staticProvider([staticToken("user", { scopes: ["read"] })])],
        publicUrl: "https://mcp.example.com",
        ...ruled({
          rules: [
            { methods: ["tools/list"], allow: "anyone" },
            { tools: ["open"], allow: "anyone" },
            { tools: ["write_*"], scopes: ["write"] }
          ],
          required_scopes: "read"
        }),
        stepUp: "tool_result"
      })
      return {
        upstream,
        node: (yield* startGateway(own)).origin,
        effect: yield* startEffectGateway(own),
        http: (yield* startGateway({ ...own, stepUp: "http" })).origin
      }
    })
  )
}

const call = (tool: string, id = `"c\\u0031"`) =>
  `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"${tool}","id":7},"id":${id}}`

const post = (origin: string, body: string, token?: string, headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(`${origin}/mcp`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers
      },
      body
    })
    return { status: response.status, challenge: response.headers.get("www-authenticate"), text: await response.text() }
  })

const list = (tools: ReadonlyArray<unknown>) => ({ jsonrpc: "2.0", id: 1, result: { tools, nextCursor: "n" } })

const metadata = "https://mcp.example.com/.well-known/oauth-protected-resource"

layer(Peers.layer, { excludeTestServices: true })("step-up by a result of the tool", (it) => {
  for (const driver of ["node", "effect"] as const) {
    it.effect(`SUP-01 ${driver}: a call that lacks scopes gets a result with the challenge`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        yield* upstream.reset
        const { challenge, status, text } = yield* post(gateways[driver], call("write_note"), "user")
        assert.strictEqual(status, 200)
        assert.isNull(challenge)
        const { id, jsonrpc, result, ...rest } = JSON.parse(text)
        assert.deepStrictEqual({ id, jsonrpc, rest }, { id: "c1", jsonrpc: "2.0", rest: {} })
        assert.isTrue(result.isError)
        assert.deepStrictEqual(result.content, [{ type: "text", text: "Token missing required scopes" }])
        const [field, ...others] = result._meta["mcp/www_authenticate"]
        assert.lengthOf(others, 0)
        const { parameters, scheme } = parseChallenge(field)
        assert.strictEqual(scheme, "Bearer")
        assert.deepStrictEqual(Object.fromEntries(parameters), {
          error: "insufficient_scope",
          error_description: "Token missing required scopes",
          scope: "read write",
          resource_metadata: metadata
        })
        assert.lengthOf(upstream.requests(), 0)
      }))

    it.effect(`SUP-01 ${driver}: a call that lacks a token gets one, too; a bad token gets 401`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        yield* upstream.reset
        const { status, text } = yield* post(gateways[driver], call("write_note", "12"))
        assert.strictEqual(status, 200)
        const { id, result } = JSON.parse(text)
        assert.strictEqual(id, 12)
        const { parameters } = parseChallenge(result._meta["mcp/www_authenticate"][0])
        assert.deepStrictEqual(Object.fromEntries(parameters), {
          error: "invalid_token",
          error_description: "Authentication required",
          scope: "read write",
          resource_metadata: metadata
        })
        assert.strictEqual((yield* post(gateways[driver], call("write_note"), "wrong")).status, 401)
        assert.lengthOf(upstream.requests(), 0)
      }))

    it.effect(`SUP-01 ${driver}: everything but one call of a tool is rejected by its status`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        yield* upstream.reset
        const bodies = [
          `[${call("write_note")},${call("write_other")}]`,
          `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"write_note"}}`,
          call("write_note", "12345678901234567890")
        ]
        for (const body of bodies) {
          const { challenge, status } = yield* post(gateways[driver], body, "user")
          assert.strictEqual(status, 403, body)
          assert.strictEqual(parseChallenge(challenge ?? "").parameters.get("scope"), "read write")
        }
        const other = yield* post(gateways[driver], `{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`)
        assert.strictEqual(other.status, 401)
        assert.strictEqual((yield* post(gateways[driver], call("open"))).status, 200)
        assert.lengthOf(upstream.requests(), 1)
      }))

    it.effect(`SUP-02 ${driver}: listed tools say how they are used, in place of what the server says`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        const tools = [
          { name: "open", securitySchemes: [{ type: "oauth2", scopes: ["wrong"] }] },
          { _meta: { a: 1 }, name: "write_note" },
          { name: "plain", _meta: { securitySchemes: "wrong", b: { securitySchemes: 1 } } },
          { _meta: {}, name: "other", title: "O" }
        ]
        yield* upstream.respondWith(
          respond({ headers: { "content-type": "application/json" }, body: JSON.stringify(list(tools)) })
        )
        const { status, text } = yield* post(gateways[driver], `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
        assert.strictEqual(status, 200)
        const noauth = [{ type: "noauth" }]
        const read = [{ type: "oauth2", scopes: ["read"] }]
        const write = [{ type: "oauth2", scopes: ["read", "write"] }]
        assert.deepStrictEqual(
          JSON.parse(text),
          list([
            { name: "open", securitySchemes: noauth, _meta: { securitySchemes: noauth } },
            { _meta: { a: 1, securitySchemes: write }, name: "write_note", securitySchemes: write },
            { name: "plain", _meta: { securitySchemes: read, b: { securitySchemes: 1 } }, securitySchemes: read },
            { _meta: { securitySchemes: read }, name: "other", title: "O", securitySchemes: read }
          ])
        )
      }))
  }

  it.effect("SUP-01 a result says of which type it is where the revision has that", () =>
    Effect.gen(function*() {
      const { node } = yield* Peers
      const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`
      const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"write_note",${meta}}}`
      const { text } = yield* post(node, body, "user", {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "write_note"
      })
      assert.strictEqual(JSON.parse(text).result.resultType, "complete")
    }))

  it.effect("SUP-01 by default a call is rejected by its status, and nothing is added to tools", () =>
    Effect.gen(function*() {
      const { http, upstream } = yield* Peers
      assert.strictEqual((yield* post(http, call("write_note"), "user")).status, 403)
      assert.strictEqual((yield* post(http, call("write_note"))).status, 401)
      const body = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"open"}]}}`
      yield* upstream.respondWith(respond({ headers: { "content-type": "application/json" }, body }))
      const { text } = yield* post(http, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
      assert.strictEqual(text, body)
    }))
})
