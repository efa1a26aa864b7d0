/** Ways around the rules: what one parser reads as harmless and another as a call that a rule is for. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { message, ping, toolCall } from "../fixtures/messages.ts"
import { ruled } from "../fixtures/rules.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"

/** Everything is allowed, but for what these rules are for. */
const guarded = ruled({
  rules: [
    { methods: ["ping", "initialize"], allow: "anyone" },
    { tools: ["delete_*"], scopes: ["notes:delete"] },
    { tools: ["pay"], when: "message.arguments.amount <= 100" },
    { resources: ["file:///secret/*"], scopes: ["files:secret"] },
    { prompts: ["internal_*"], scopes: ["prompts:internal"] },
    { methods: ["admin/*"], scopes: ["admin"] }
  ]
})

const call = (params: string) => message("tools/call", params)

/** Messages for which there is a rule, in forms that some server might understand. */
const evasions: ReadonlyArray<readonly [name: string, body: string, status?: 403]> = [
  ["the call itself", toolCall("delete_all"), 403],
  ["escapes in the name", call(`{"n\\u0061me":"d\\u0065lete_all"}`), 403],
  [
    "escapes in the method",
    `{"jsonrpc":"2.0","id":1,"m\\u0065thod":"tools\\/c\\u0061ll","params":{"name":"delete_all"}}`,
    403
  ],
  [
    "white space everywhere",
    ` {\n"jsonrpc" : "2.0" ,"id":1,\t"params":{ "name" : "delete_all" } , "method":"tools/call"}\r\n`,
    403
  ],
  ["a batch", `[${ping},${toolCall("delete_all")}]`, 403],
  ["a notification", `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"delete_all"}}`, 403],
  [
    "a batch of notifications and responses",
    `[{"jsonrpc":"2.0","id":1,"result":{}},{"method":"tools/call","params":{"name":"delete_all"}}]`,
    403
  ],
  ["behind a long argument", call(`{"arguments":{"text":"${"x".repeat(100_000)}"},"name":"delete_all"}`), 403],
  ["no version", `{"id":1,"method":"tools/call","params":{"name":"delete_all"}}`, 403],
  [
    "a prompt by completion",
    message(
      "completion/complete",
      `{"ref":{"type":"ref/prompt","name":"internal_x"},"argument":{"name":"a","value":""}}`
    ),
    403
  ],
  ["a resource by subscription", message("resources/subscribe", `{"uri":"file:///secret/x"}`), 403],
  [
    "a resource by completion",
    message("completion/complete", `{"ref":{"type":"ref/resource","uri":"file:///secret/{x}"}}`),
    403
  ],
  [
    "a resource among others",
    message("subscriptions/listen", `{"notifications":{"resourceSubscriptions":["file:///a","file:///secret/x"]}}`),
    403
  ],
  ["dots in a URI", message("resources/read", `{"uri":"file:///public/../secret/x"}`), 403],
  ["percent-encoding in a URI", message("resources/read", `{"uri":"file:///%73ecret/x"}`), 403],
  ["backslashes in a URI", message("resources/read", `{"uri":"file:///public\\\\..\\\\secret\\\\x"}`), 403],
  ["an unknown method of a family", message("admin/reset"), 403],
  ["an amount that is too much", call(`{"name":"pay","arguments":{"amount":101}}`), 403],
  ["an amount that is not a number", call(`{"name":"pay","arguments":{"amount":"1000"}}`), 403],
  ["no amount", call(`{"name":"pay"}`), 403],
  ["an amount in another case alone", call(`{"name":"pay","arguments":{"Amount":1000}}`), 403],
  ["a second name", call(`{"name":"list","name":"delete_all"}`)],
  ["a first name", call(`{"name":"delete_all","name":"list"}`)],
  ["a second name in another case", call(`{"name":"list","Name":"delete_all"}`)],
  ["a name in another case alone", call(`{"NAME":"delete_all"}`)],
  ["a name with a Kelvin sign", message("resources/read", `{"uri":"file:///a","U\\u0052I":"file:///secret/x"}`)],
  ["a name that ends at U+0000", call(`{"name":"list","name\\u0000x":"delete_all"}`)],
  ["a value that ends at U+0000", call(`{"name":"delete_all\\u0000"}`)],
  ["half a surrogate pair", call(`{"name":"delete_all\\ud800"}`)],
  ["a second method", `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"delete_all"}}`],
  [
    "a second method in another case",
    `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"delete_all"}}`
  ],
  [
    "second params",
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list"},"params":{"name":"delete_all"}}`
  ],
  [
    "a request that is a response, too",
    `{"jsonrpc":"2.0","id":1,"result":{},"method":"tools/call","params":{"name":"delete_all"}}`
  ],
  ["params by position", call(`["delete_all"]`)],
  ["a list of names", call(`{"name":["delete_all"]}`)],
  ["an object for a name", call(`{"name":{"toString":"delete_all"}}`)],
  ["no name", call(`{}`)],
  ["a batch in a batch", `[[${toolCall("delete_all")}]]`],
  ["junk in a batch", `[${ping},"x"]`],
  ["two messages", `${ping}${toolCall("delete_all")}`],
  ["a byte order mark", `\ufeff${toolCall("delete_all")}`],
  ["an amount twice", call(`{"name":"pay","arguments":{"amount":1,"amount":1000}}`)],
  ["an amount in two cases", call(`{"name":"pay","arguments":{"amount":1,"Amount":1000}}`)],
  ["an amount in two cases, deeper", call(`{"name":"pay","arguments":{"amount":1,"more":[{"a":1,"A":2}]}}`)],
  [
    "a second reference",
    message(
      "completion/complete",
      `{"ref":{"type":"ref/prompt","name":"a"},"Ref":{"type":"ref/prompt","name":"internal_x"}}`
    )
  ]
]

/** Messages for which there is no rule. */
const harmless: ReadonlyArray<string> = [
  ping,
  toolCall("list"),
  call(`{"name":"pay","arguments":{"amount":100}}`),
  `[${ping},${toolCall("list")}]`,
  message("resources/read", `{"uri":"file:///public/%20x"}`),
  message("subscriptions/listen", `{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["file:///a"]}}`),
  call(`{"name":"list","arguments":{"name":"delete_all","method":"x","params":{"name":"delete_all"}}}`)
]

const sizes = [1, 7, 64, 1_000] as const

const chunked = (body: string, size: number): string => {
  const bytes = Buffer.from(body).toString("latin1")
  let chunks = ""
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.slice(at, at + size)
    chunks += `${piece.length.toString(16)}\r\n${piece}\r\n`
  }
  return `${chunks}0\r\n\r\n`
}

const sentIn = (authorization: string | undefined, body: string, size: number): string =>
  [
    "POST /mcp HTTP/1.1",
    "Host: 127.0.0.1",
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    "Content-Type: application/json",
    "Transfer-Encoding: chunked",
    "",
    ""
  ].join("\r\n") + chunked(body, size)

layer(GatewayFixture.layer(guarded), { excludeTestServices: true })("ways around the rules", (it) => {
  for (const [name, body, status = 400] of evasions) {
    it.effect(`lets no one do by ${name} what a rule is for`, () =>
      Effect.gen(function*() {
        const { gateway, reset, send, token, upstream } = yield* GatewayFixture
        yield* reset
        const { responses: [response] } = yield* send({ body })
        assert.strictEqual(response?.status, status, response?.text)
        const { error } = JSON.parse(response?.text ?? "")
        assert.include(status === 400 ? ["invalid_request"] : ["insufficient_scope", "access_denied"], error)
        const without = yield* send({ body, authorization: null })
        assert.strictEqual(without.responses[0]?.status, 401)
        // The result does not depend on how the body is split into chunks.
        for (const size of body.length > 10_000 ? [1_000] : sizes) {
          const cut = yield* rawExchange(gateway.origin, sentIn(`Bearer ${token}`, body, size))
          assert.deepStrictEqual([cut.responses[0]?.status, cut.responses[0]?.text], [response?.status, response?.text])
        }
        assert.lengthOf(upstream.requests(), 0)
      }))
  }

  it.effect("and what no rule is for goes on as it is, however it is cut", () =>
    Effect.gen(function*() {
      const { forwarded, gateway, reset, token, upstream } = yield* GatewayFixture
      for (const body of harmless) {
        yield* reset
        assert.strictEqual(yield* textOf(yield* forwarded({ body })), body)
        for (const size of sizes) {
          yield* reset
          const { responses: [response] } = yield* rawExchange(gateway.origin, sentIn(`Bearer ${token}`, body, size))
          assert.strictEqual(response?.status, 200, body)
          assert.strictEqual(yield* textOf(upstream.requests()[0] ?? assert.fail("not sent")), body)
        }
      }
    }))
})
