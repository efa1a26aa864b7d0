import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { initializeOf, message, ping } from "../fixtures/messages.ts"
import { encoded, envelope, modernCall, modernFields, modernMessage } from "../fixtures/modernMessages.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import * as responses from "../support/upstreamResponses.ts"

const notification = (params = "{}") => `{"jsonrpc":"2.0","method":"notifications/x","params":${params}}`
const list = modernMessage("tools/list")
const read = (uri: string) => modernMessage("resources/read", `"uri":${JSON.stringify(uri)}`)
const call = (lines: ReadonlyArray<string>) => [...modernFields("tools/call", "add"), ...lines]

/** Forwarded: bodies with matching fields. */
const agreeing: ReadonlyArray<readonly [what: string, body: string, lines: ReadonlyArray<string>]> = [
  ["a list", list, modernFields("tools/list")],
  ["a tool", modernCall("add"), modernFields("tools/call", "add")],
  ["names in any case", modernCall("add"), [
    "mcp-PROTOCOL-version: 2026-07-28",
    "MCP-METHOD: tools/call",
    "mcp-name: add"
  ]],
  ["white space around values", modernCall("add"), modernFields(" \ttools/call  ", "  add\t")],
  ["a prompt", modernMessage("prompts/get", `"name":"greet"`), modernFields("prompts/get", "greet")],
  ["a resource", read("file:///a b?c"), modernFields("resources/read", "file:///a b?c")],
  ["a task", modernMessage("tasks/get", `"taskId":"t-1"`), modernFields("tasks/get", "t-1")],
  ["an encoded name", modernCall("wétter ☔"), modernFields("tools/call", encoded("wétter ☔"))],
  ["an encoded ASCII name", modernCall("add"), modernFields("tools/call", encoded("add"))],
  ["an encoded empty name", modernCall(""), modernFields("tools/call", encoded(""))],
  ["a name with white space around it", modernCall(" add "), modernFields("tools/call", encoded(" add "))],
  ["a name that looks encoded", modernCall(encoded("add")), modernFields("tools/call", encoded(encoded("add")))],
  ["half of the form is text", modernCall("=?base64?YWRk"), modernFields("tools/call", "=?base64?YWRk")],
  ["the form in another case is text", modernCall("=?BASE64?YWRk?="), modernFields("tools/call", "=?BASE64?YWRk?=")],
  ["an escaped method", list.replace("tools/list", "tools\\u002flist"), modernFields("tools/list")],
  ["members in another order", `{"params":{${envelope()},"name":"add"},"method":"tools/call","id":7}`, call([])],
  ["an unknown method", modernMessage("x/y", `"name":"z"`), modernFields("x/y")],
  ["a name where none is needed", list, modernFields("tools/list", "anything")],
  [
    "a later revision",
    modernMessage("tools/list", "", { version: "2027-01-01" }),
    modernFields(
      "tools/list",
      undefined,
      "2027-01-01"
    )
  ],
  ["a notification without fields", notification(), modernFields()],
  [
    "a notification with fields",
    notification(`{${envelope()}}`),
    modernFields(
      "notifications/x"
    )
  ],
  ["an argument", modernCall("add", `{"region":"eu"}`), call(["Mcp-Param-Region: eu"])],
  ["an encoded argument", modernCall("add", `{"region":"ü"}`), call([`Mcp-Param-Region: ${encoded("ü")}`])],
  ["an argument within another", modernCall("add", `{"at":{"tenant_id":"a"}}`), call(["Mcp-Param-TenantId: a"])],
  ["one of two arguments", modernCall("add", `{"id":1,"at":{"id":2}}`), call(["Mcp-Param-Id: 2"])],
  [
    "numbers",
    modernCall("add", `{"a":42,"b":-7.0,"c":1e2}`),
    call(["Mcp-Param-A: 42.0", "Mcp-Param-B: -7", "Mcp-Param-C: 100"])
  ],
  ["booleans", modernCall("add", `{"a":true,"b":false}`), call(["Mcp-Param-A: true", "Mcp-Param-B: false"])],
  ["null is no argument", modernCall("add", `{"region":null}`), call(["Mcp-Param-Region: eu"])],
  [
    "a field that names no argument",
    modernCall("add", `{"region":"eu"}`),
    call(["Mcp-Param-Zone: us", "Mcp-Param-: x"])
  ],
  [
    "what stands in a list is repeated by no field",
    modernCall("add", `{"a":[{"region":"us"}]}`),
    call([
      "Mcp-Param-Region: eu"
    ])
  ],
  [
    "an argument after a list",
    modernCall("add", `{"a":[[{"region":"us"}]],"region":"eu"}`),
    call([
      "Mcp-Param-Region: eu"
    ])
  ]
]

/** Rejected requests, and the field that the response names. */
const disagreeing: ReadonlyArray<
  readonly [what: string, field: string, body: string, lines: ReadonlyArray<string>]
> = [
  ["no version", "MCP-Protocol-Version", list, modernFields("tools/list", undefined, "")],
  ["an older version", "MCP-Protocol-Version", list, modernFields("tools/list", undefined, "2025-11-25")],
  [
    "an older version in the message",
    "MCP-Protocol-Version",
    modernMessage("tools/list", "", {
      version: "2025-11-25"
    }),
    modernFields("tools/list")
  ],
  ["another version", "MCP-Protocol-Version", list, modernFields("tools/list", undefined, "2027-01-01")],
  ["two versions", "MCP-Protocol-Version", list, [...modernFields("tools/list"), ...modernFields()]],
  ["two versions, an older first", "MCP-Protocol-Version", list, [
    "MCP-Protocol-Version: 2025-11-25",
    ...modernFields("tools/list")
  ]],
  ["no method", "Mcp-Method", list, modernFields()],
  ["an empty method", "Mcp-Method", list, modernFields("")],
  ["another method", "Mcp-Method", list, modernFields("prompts/list")],
  ["the method in another case", "Mcp-Method", list, modernFields("TOOLS/LIST")],
  ["the method twice", "Mcp-Method", list, [...modernFields("tools/list"), "Mcp-Method: tools/list"]],
  ["an encoded method", "Mcp-Method", list, modernFields(encoded("tools/list"))],
  ["the method with an underscore only", "Mcp-Method", list, [...modernFields(), "Mcp_Method: tools/list"]],
  ["another method of a notification", "Mcp-Method", notification(), modernFields("tools/call")],
  ["the method of a response", "Mcp-Method", `{"jsonrpc":"2.0","id":7,"result":{}}`, modernFields("tools/call")],
  ["a call without an id and a method", "Mcp-Method", modernCall("add").replace(`"id":7,`, ""), modernFields()],
  ["no name", "Mcp-Name", modernCall("add"), modernFields("tools/call")],
  ["an empty name", "Mcp-Name", modernCall("add"), modernFields("tools/call", "")],
  ["another name", "Mcp-Name", modernCall("admin"), modernFields("tools/call", "public")],
  ["the name in another case", "Mcp-Name", modernCall("admin"), modernFields("tools/call", "Admin")],
  ["the name twice", "Mcp-Name", modernCall("admin"), [...modernFields("tools/call", "admin"), "Mcp-Name: admin"]],
  ["another prompt", "Mcp-Name", modernMessage("prompts/get", `"name":"a"`), modernFields("prompts/get", "b")],
  ["no URI", "Mcp-Name", read("file:///a"), modernFields("resources/read")],
  ["another URI", "Mcp-Name", read("file:///a"), modernFields("resources/read", "file:///A")],
  ["another task", "Mcp-Name", modernMessage("tasks/cancel", `"taskId":"a"`), modernFields("tasks/cancel", "b")],
  ["a task that the message lacks", "Mcp-Name", modernMessage("tasks/cancel"), modernFields("tasks/cancel", "b")],
  ["another encoded name", "Mcp-Name", modernCall("admin"), modernFields("tools/call", encoded("public"))],
  ["no padding", "Mcp-Name", modernCall("ab"), modernFields("tools/call", "=?base64?YWI?=")],
  ["other characters", "Mcp-Name", modernCall("abc"), modernFields("tools/call", "=?base64?YW!!Jj?=")],
  ["white space within", "Mcp-Name", modernCall("abc"), modernFields("tools/call", "=?base64?YW Jj?=")],
  ["bits that mean nothing", "Mcp-Name", modernCall("a"), modernFields("tools/call", "=?base64?YR==?=")],
  ["no UTF-8", "Mcp-Name", modernCall("\ufffd"), modernFields("tools/call", "=?base64?/w==?=")],
  ["a byte order mark", "Mcp-Name", modernCall("a"), modernFields("tools/call", encoded("\ufeffa"))],
  ["a name that is not encoded", "Mcp-Name", modernCall("é"), modernFields("tools/call", "\xe9")],
  ["the same in UTF-8", "Mcp-Name", modernCall("é"), modernFields("tools/call", "\xc3\xa9")],
  ["another argument", "Mcp-Param", modernCall("add", `{"region":"us"}`), call(["Mcp-Param-Region: eu"])],
  ["another case", "Mcp-Param", modernCall("add", `{"region":"eu"}`), call(["Mcp-Param-Region: EU"])],
  [
    "an argument within another",
    "Mcp-Param",
    modernCall("add", `{"at":{"tenant_id":"b"}}`),
    call([
      "Mcp-Param-Tenant-Id: a"
    ])
  ],
  ["text that is a number", "Mcp-Param", modernCall("add", `{"a":"42"}`), call(["Mcp-Param-A: 42.0"])],
  ["another number", "Mcp-Param", modernCall("add", `{"a":42}`), call(["Mcp-Param-A: 0x2a"])],
  ["another boolean", "Mcp-Param", modernCall("add", `{"a":true}`), call(["Mcp-Param-A: True"])],
  [
    "an argument after a list",
    "Mcp-Param",
    modernCall("add", `{"a":["eu"],"region":"us"}`),
    call([
      "Mcp-Param-Region: eu"
    ])
  ],
  [
    "an argument twice",
    "Mcp-Param",
    modernCall("add", `{"region":"eu"}`),
    call([
      "Mcp-Param-Region: eu",
      "Mcp-Param-Region: eu"
    ])
  ],
  [
    "an argument in two spellings",
    "Mcp-Param",
    modernCall("add", `{"tenant_id":"eu"}`),
    call([
      "Mcp-Param-Tenant-Id: eu",
      "Mcp-Param-Tenant_Id: us"
    ])
  ],
  [
    "an invalid encoding",
    "Mcp-Param",
    modernCall("add", `{"region":"Hello"}`),
    call([
      "Mcp-Param-Region: =?base64?SGVsbG8?="
    ])
  ],
  [
    "a context that was forged is no argument",
    "Mcp-Param",
    modernCall("add", `{"region":"us","_authContext":"eu"}`),
    call([
      "Mcp-Param-Region: eu"
    ])
  ]
]

const ok = responses.respond({ headers: { "content-type": "application/json" }, body: "{}" })

layer(GatewayFixture.layer(), { excludeTestServices: true })("fields that repeat the message", (it) => {
  it.effect("MO-1 go on with it where they agree", () =>
    Effect.gen(function*() {
      const { forwarded, reset, upstream } = yield* GatewayFixture
      for (const [what, body, lines] of agreeing) {
        yield* reset
        yield* upstream.respondWith(ok)
        const request = yield* forwarded({ body, lines })
        assert.strictEqual(yield* textOf(request), body, what)
      }
    }))

  it.effect("MO-1 MO-2 MO-6 MO-7 are rejected where they do not, and nothing is forwarded", () =>
    Effect.gen(function*() {
      const { logs, reset, send, upstream } = yield* GatewayFixture
      for (const [what, field, body, lines] of disagreeing) {
        yield* reset
        const { responses: [response] } = yield* send({ body, lines })
        assert.strictEqual(response?.status, 400, what)
        assert.isEmpty(response?.headers("www-authenticate"), what)
        const { error, id, jsonrpc } = JSON.parse(response?.text ?? "")
        const { id: sent = null } = JSON.parse(body)
        assert.deepStrictEqual([jsonrpc, id, error.code], ["2.0", sent, -32020], what)
        assert.match(error.message, new RegExp(`^Header mismatch: (an )?${field} `), what)
        assert.include(logs.entries().at(-1), "HeaderMismatch", what)
        assert.isEmpty(upstream.requests(), what)
      }
    }))

  it.effect("MO-1 are rejected if they are sent twice, although both together would say what the message says", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      yield* reset
      const lines = [...modernFields("tools/call", "a"), "Mcp-Name: b"]
      const { responses: [response] } = yield* send({ body: modernCall("a, b"), lines })
      assert.deepStrictEqual([response?.status, JSON.parse(response?.text ?? "").error.code], [400, -32020])
      assert.isEmpty(upstream.requests())
    }))

  it.effect("MO-10 a message that does not name its revision is rejected as the revision demands", () =>
    Effect.gen(function*() {
      const { reset, send, upstream } = yield* GatewayFixture
      const lacking = [
        message("tools/list"),
        message("tools/list", "{}"),
        message("tools/list", `{"_meta":{}}`),
        message("tools/list", `{"_meta":[{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}]}`),
        message("tools/list", `{"_meta":{"x":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`),
        message("tools/list", `{"a":{${envelope()}}}`),
        message("tools/list", `{"_meta":{"io.modelcontextprotocol/protocolVersion":20260728}}`),
        message("tools/list", `[{${envelope()}}]`)
      ]
      for (const body of lacking) {
        yield* reset
        const { responses: [response] } = yield* send({ body, lines: modernFields("tools/list") })
        assert.strictEqual(response?.status, 400, body)
        const { error, id } = JSON.parse(response?.text ?? "")
        assert.deepStrictEqual([id, error.code], [1, -32602], body)
        assert.isEmpty(upstream.requests(), body)
      }
    }))

  it.effect("MO-4 a revision without batches gets none", () =>
    Effect.gen(function*() {
      const { forwarded, reset, send, upstream } = yield* GatewayFixture
      const batches = [
        [`[${list}]`, modernFields("tools/list")],
        [`[${ping}]`, modernFields("ping")],
        [`[${ping},${list}]`, []],
        [`[${list},${ping}]`, ["MCP-Protocol-Version: 2025-03-26"]]
      ] as const
      for (const [body, lines] of batches) {
        yield* reset
        const { responses: [response] } = yield* send({ body, lines })
        assert.deepStrictEqual(
          [response?.status, JSON.parse(response?.text ?? "").error],
          [400, "invalid_request"],
          body
        )
        assert.isEmpty(upstream.requests(), body)
      }
      yield* reset
      yield* forwarded({ body: `[${ping},${ping}]`, lines: ["MCP-Protocol-Version: 2025-03-26"] })
    }))

  it.effect("MO-3 are not demanded of older revisions, nor looked at", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      const other = ["Mcp-Method: prompts/list", "Mcp-Name: \xff", "Mcp-Param-Region: =?base64?!?="]
      const bodies = [
        ping,
        message("tools/call", `{"name":"add","arguments":{"region":"eu"}}`),
        initializeOf("2025-11-25")
      ]
      for (const version of [[], ["MCP-Protocol-Version: 2025-11-25"], ["MCP-Protocol-Version: 2024-11-05"]]) {
        for (const body of bodies) {
          for (const lines of [version, [...version, ...other]]) {
            yield* reset
            const request = yield* forwarded({ body, lines })
            assert.deepStrictEqual(request.headers("mcp-method"), lines.length > 1 ? ["prompts/list"] : [])
          }
        }
      }
    }))

  it.effect("MO-11 reach the MCP server in no spelling that was not compared", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const spellings = [
        "Mcp_Name: admin",
        "Mcp-Method_: x",
        "MCP.Protocol.Version: 2025-11-25",
        "Mcp_Param_Region: us"
      ]
      const request = yield* forwarded({
        body: modernCall("add", `{"region":"eu"}`),
        lines: [...call(["Mcp-Param-Region: eu"]), ...spellings]
      })
      const names = request.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
      assert.deepStrictEqual(names.filter((name) => name.startsWith("mcp")).toSorted(), [
        "mcp-method",
        "mcp-name",
        "mcp-param-region",
        "mcp-protocol-version"
      ])
    }))
})
