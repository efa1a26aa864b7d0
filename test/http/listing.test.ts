/** Lists on their way through a gateway with rules. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { gzipSync } from "node:zlib"
import { Glob } from "../../src/rules/Glob.ts"
import type { Policy, Rule } from "../../src/rules/Policy.ts"
import { ScopeHierarchy } from "../../src/rules/ScopeHierarchy.ts"
import { staticProvider, staticToken } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { respond } from "../support/upstreamResponses.ts"

const globs = (...patterns: ReadonlyArray<string>) => patterns.map((pattern) => new Glob(pattern))

const rule = (index: number, parts: Partial<Rule>): Rule => ({
  index,
  methods: undefined,
  tools: undefined,
  prompts: undefined,
  resources: undefined,
  anyone: false,
  scopes: [],
  when: undefined,
  ...parts
})

/** Only the admin may use what begins with `admin`; a scope opens what begins with `scoped`. */
const policy: Policy = {
  otherwise: "authenticated",
  implies: ScopeHierarchy.none,
  rules: [
    rule(1, {
      tools: globs("admin*"),
      prompts: globs("admin*"),
      resources: globs("admin:*"),
      when: {
        text: "identity.subject == 'admin'",
        needsArguments: false,
        test: ({ identity }) => identity.subject === "admin" ? "true" : "false"
      }
    }),
    rule(2, { tools: globs("scoped*"), scopes: ["more"] }),
    rule(3, {
      tools: globs("argued*"),
      when: { text: "message.arguments.a == 1", needsArguments: true, test: () => "false" }
    })
  ]
}

const maxListBytes = 4 * 1024 * 1024

interface Gateways {
  readonly upstream: RecordingUpstream
  readonly node: string
  readonly effect: string
  readonly without: string
}

class Peers extends Context.Service<Peers, Gateways>()("mcp-authorizer/test/http/listing/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const providers = [staticProvider([staticToken("user"), staticToken("admin", { subject: "admin" })])]
      const own = settings(upstream.origin, { providers, policy, maxListBytes })
      return {
        upstream,
        node: (yield* startGateway(own)).origin,
        effect: yield* startEffectGateway(own),
        without: (yield* startGateway({ ...own, policy: undefined })).origin
      }
    })
  )
}

const json = { "content-type": "application/json" }
const events = { "content-type": "text/event-stream" }

const tools = (...names: ReadonlyArray<string>) =>
  names.map((name) => `{ "title":"T\\u0041",  "name":"${name}", "inputSchema":{"type":"object"} }`)

const listOf = (member: string, items: ReadonlyArray<string>, rest = "") =>
  `{"jsonrpc":"2.0","id":1,"result":{"${member}": [ ${items.join(" , ")} ],"nextCursor":"c+2"${rest}}}\n`

const request = (method: string) => `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{"name":"a","uri":"a:b"}}`

const post = (origin: string, body: string, token = "user", headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const response = await fetch(`${origin}/mcp`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...headers
      },
      body
    })
    return { status: response.status, text: await response.text().catch(() => "broken off") }
  })

const listTools = request("tools/list")

const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "c", version: "1" } }
})

const streamOf = (items: ReadonlyArray<string>) =>
  `: hi\n\nevent: message\ndata: {"jsonrpc":"2.0","method":"notifications/message"}\n\nid: 3\ndata: ${
    listOf("tools", items)
  }\n`

const batchOf = (items: ReadonlyArray<string>) =>
  `[${listOf("tools", items)},{"jsonrpc":"2.0","id":2,"result":{"content":[]}},${listOf("tools", items)}]`

const bulky = (name: string) => `{"outputSchema":{"description":"${"x\\n".repeat(350_000)}"},"name":"${name}"}`

const scopedList = (scope: string) => listOf("tools", tools("a"), `,"ttlMs":60000,"cacheScope" : "${scope}"`)

const faults = {
  "tools that are no array": `{"jsonrpc":"2.0","id":1,"result":{"tools":{"name":"admin"}}}`,
  "tools that are null": `{"jsonrpc":"2.0","id":1,"result":{"tools":null}}`,
  "no tools": `{"jsonrpc":"2.0","id":1,"result":{}}`,
  "a result that is an array": `{"jsonrpc":"2.0","id":1,"result":[{"name":"admin"}]}`,
  "an item without a name": `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"title":"admin"}]}}`,
  "an item that is a text": `{"jsonrpc":"2.0","id":1,"result":{"tools":["admin"]}}`,
  "a name that is a number": `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":1}]}}`,
  "a name twice": `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","name":"admin"}]}}`,
  "a name in two spellings": `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"Name":"admin","name":"a"}]}}`,
  "a name with U+0000": `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"admin\\u0000x"}]}}`,
  "a name with half a surrogate pair": `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"\\ud800admin"}]}}`,
  "tools twice": `{"jsonrpc":"2.0","id":1,"result":{"tools":[],"tools":[{"name":"admin"}]}}`,
  "tools in another case": `{"jsonrpc":"2.0","id":1,"result":{"tools":[],"TOOLS":[{"name":"admin"}]}}`,
  "two results": `{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"result":{"tools":[{"name":"admin"}]}}`,
  "a result in another case": `{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"Result":{"tools":[{"name":"admin"}]}}`,
  "what is no JSON": `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"admin"}]}`,
  "two messages in a row": `{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}{}`,
  "a text": `"admin"`,
  "nothing": ""
}

layer(Peers.layer, { excludeTestServices: true })("lists of a server with rules", (it) => {
  for (const driver of ["node", "effect"] as const) {
    it.effect(`LST-01 ${driver}: leave out what the caller can never use, and keep what scopes or arguments may open`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        const all = tools("admin1", "a", "admin2", "admin3", "scoped", "argued", "admin4")
        const kept = [all[1], all[4], all[5]].map(String)
        yield* upstream.respondWith(respond({ headers: json, body: listOf("tools", all) }))
        const reply = yield* post(gateways[driver], listTools)
        assert.deepStrictEqual(reply, { status: 200, text: listOf("tools", kept) })
        const admin = yield* post(gateways[driver], listTools, "admin")
        assert.deepStrictEqual(admin, { status: 200, text: listOf("tools", all) })
      }))

    for (
      const [method, member, key] of [
        ["prompts/list", "prompts", "name"],
        ["resources/list", "resources", "uri"],
        ["resources/templates/list", "resourceTemplates", "uriTemplate"]
      ] as const
    ) {
      it.effect(`LST-01 ${driver}: ${method} is filtered by ${key}`, () =>
        Effect.gen(function*() {
          const { upstream, ...gateways } = yield* Peers
          const all = ["admin:{x}", "b:{x}", "admin:c"].map((name) => `{"title":"admin","${key}":"${name}"}`)
          yield* upstream.respondWith(respond({ headers: json, body: listOf(member, all) }))
          const reply = yield* post(gateways[driver], request(method))
          assert.deepStrictEqual(reply, { status: 200, text: listOf(member, [String(all[1])]) })
        }))
    }

    it.effect(`LST-03 ${driver}: an event stream loses the items, and nothing else`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        const all = tools("admin", "a", "admin", "b")
        yield* upstream.respondWith(respond({ headers: events, body: streamOf(all) }))
        const reply = yield* post(gateways[driver], listTools)
        assert.deepStrictEqual(reply, { status: 200, text: streamOf([all[1], all[3]].map(String)) })
        const response = yield* Effect.promise(() =>
          fetch(`${gateways[driver]}/mcp`, {
            headers: { authorization: "Bearer user", accept: "text/event-stream", "last-event-id": "2" }
          }).then((response) => response.text())
        )
        assert.strictEqual(response, streamOf([all[1], all[3]].map(String)))
      }))

    it.effect(`LST-03 ${driver}: a list in the response to another request is filtered, too`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        const all = tools("a", "admin")
        for (const headers of [json, events]) {
          const body = (items: ReadonlyArray<string>) =>
            headers === json ? listOf("tools", items) : `data: ${listOf("tools", items)}\n`
          yield* upstream.respondWith(respond({ headers, body: body(all) }))
          const reply = yield* post(gateways[driver], request("tools/call"))
          assert.deepStrictEqual(reply, { status: 200, text: body([String(all[0])]) })
        }
      }))

    it.effect(`LST-03 ${driver}: each response of a batch is filtered`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        const all = tools("admin", "a")
        yield* upstream.respondWith(respond({ headers: json, body: batchOf(all) }))
        const reply = yield* post(gateways[driver], `[${listTools},${request("tools/call")}]`)
        assert.deepStrictEqual(reply, { status: 200, text: batchOf([String(all[1])]) })
      }))

    it.effect(`LST-04 ${driver}: a tool with a schema of a megabyte is no trouble`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        yield* upstream.respondWith(
          respond({ headers: json, body: listOf("tools", [bulky("admin"), bulky("a"), bulky("admin")]) })
        )
        const reply = yield* post(gateways[driver], listTools)
        assert.strictEqual(reply.status, 200)
        assert.isTrue(reply.text === listOf("tools", [bulky("a")]))
      }))

    it.effect(`LST-04 ${driver}: a list beyond the limit is 502`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        const long = tools("a".repeat(maxListBytes))
        yield* upstream.respondWith(respond({ headers: json, body: listOf("tools", long) }))
        assert.strictEqual((yield* post(gateways[driver], listTools)).status, 502)
      }))

    it.effect(`LST-05 ${driver}: servers are asked for readable responses; one that compresses regardless is 502`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        yield* upstream.reset
        yield* upstream.respondWith(
          respond({ headers: { ...json, "content-encoding": "gzip" }, body: gzipSync(listOf("tools", tools("a"))) })
        )
        const reply = yield* post(gateways[driver], listTools, "user", { "accept-encoding": "gzip" })
        assert.strictEqual(reply.status, 502)
        assert.deepStrictEqual(upstream.requests().map(({ headers }) => headers("accept-encoding")), [["identity"]])
      }))

    for (const [title, body] of Object.entries(faults)) {
      it.effect(`LST-06 ${driver}: ${title} in place of a list is 502`, () =>
        Effect.gen(function*() {
          const { upstream, ...gateways } = yield* Peers
          yield* upstream.respondWith(respond({ headers: json, body }))
          const reply = yield* post(gateways[driver], listTools)
          assert.strictEqual(reply.status, 502)
          assert.notInclude(reply.text, "admin")
        }))
    }

    it.effect(`LST-06 ${driver}: a list of another type is 502`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        for (const headers of [{ "content-type": "text/plain" }, {}]) {
          yield* upstream.respondWith(respond({ headers, body: listOf("tools", tools("admin")) }))
          assert.strictEqual((yield* post(gateways[driver], listTools)).status, 502)
        }
      }))

    it.effect(`LST-03 ${driver}: the response to initialize passes, with what the gateway puts into it`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        const result = `{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","serverInfo":{"name":"s"}}}`
        for (const headers of [json, events]) {
          const body = headers === json ? result : `event: message\r\ndata: ${result}\r\n\r\n`
          yield* upstream.respondWith(respond({ headers, body }))
          const reply = yield* post(gateways[driver], initialize)
          assert.strictEqual(reply.status, 200)
          assert.match(reply.text, /"serverInfo":\{"authInfo":\{"authenticated_user":"dev-user"[^]*"name":"s"\}\}\}/)
        }
      }))

    it.effect(`LST-06 ${driver}: errors of the server pass as they are`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        const body = `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}`
        for (const status of [200, 400, 404, 500]) {
          yield* upstream.respondWith(respond({ status, headers: json, body }))
          assert.deepStrictEqual(yield* post(gateways[driver], listTools), { status, text: body })
        }
        yield* upstream.respondWith(respond({ status: 500, headers: { "content-type": "text/plain" }, body: "oh" }))
        assert.deepStrictEqual(yield* post(gateways[driver], listTools), { status: 500, text: "oh" })
      }))

    it.effect(`LST-07 ${driver}: what depends on the caller may not be cached for others`, () =>
      Effect.gen(function*() {
        const { upstream, ...gateways } = yield* Peers
        yield* upstream.respondWith(respond({ headers: json, body: scopedList("public") }))
        const reply = yield* post(gateways[driver], listTools)
        assert.deepStrictEqual(JSON.parse(reply.text), JSON.parse(scopedList("private")))
      }))
  }

  it.effect("LST-08 without rules nothing is looked at", () =>
    Effect.gen(function*() {
      const { upstream, without } = yield* Peers
      for (const body of Object.values(faults)) {
        yield* upstream.respondWith(respond({ headers: json, body }))
        assert.deepStrictEqual(yield* post(without, listTools), { status: 200, text: body })
      }
      yield* upstream.reset
      yield* post(without, listTools, "user", { "accept-encoding": "br" })
      assert.deepStrictEqual(upstream.requests().map(({ headers }) => headers("accept-encoding")), [["br"]])
    }))
})
