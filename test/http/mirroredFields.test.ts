/** Fields that repeat the message, with rules about its operation, in every product. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { makeFetchMiddleware } from "mcp-authorizer"
import { settingsOf } from "../config/resolving.ts"
import { message, toolCall } from "../fixtures/messages.ts"
import { modernCall, modernFields, modernMessage } from "../fixtures/modernMessages.ts"
import { settings } from "../fixtures/settings.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

const variables = {
  MCP_STATIC_TOKENS: "dev-token:app:alice:read",
  MCP_PUBLIC_URL: "https://mcp.example.com",
  MCP_RULES: JSON.stringify([
    { methods: ["tools/list"], allow: "anyone" },
    { tools: ["admin*"], scopes: ["admin"] },
    { tools: ["pay"], when: "message.arguments.amount <= 100" }
  ])
}

/**
 * A product with these rules; returns the status of a request, its JSON-RPC error if any, and whether it was forwarded.
 */
interface Product {
  readonly name: string
  readonly send: (request: RequestInit) => Promise<Response>
  readonly forwarded: () => number
}

const gateway = (name: string, start: typeof startEffectGateway) =>
  Effect.gen(function*() {
    const upstream = yield* makeRecordingUpstream
    const { policy, providers } = settingsOf(variables)
    const origin = yield* start(settings(`${upstream.origin}/mcp`, { policy, providers }))
    return {
      name,
      send: (request) => fetch(`${origin}/mcp`, request),
      forwarded: () => upstream.requests().length
    } satisfies Product
  })

const embedded = Effect.gen(function*() {
  let count = 0
  const { admit, dispose } = makeFetchMiddleware({
    static_tokens: variables.MCP_STATIC_TOKENS,
    public_url: variables.MCP_PUBLIC_URL,
    rules: JSON.parse(variables.MCP_RULES)
  }, { logger: Logger.layer([]) })
  yield* Effect.addFinalizer(() => Effect.promise(dispose))
  const handle = admit(() => {
    count++
    return Promise.resolve(Response.json({}))
  })
  return {
    name: "embedded",
    send: (request) => handle(new Request("https://mcp.example.com/mcp", request)),
    forwarded: () => count
  } satisfies Product
})

const products = Effect.all([
  gateway("Node", (given) => Effect.map(startGateway(given), ({ origin }) => origin)),
  gateway("HttpApp", startEffectGateway),
  embedded
])

const admin = modernCall("admin_delete")
const pay = (args: string) => modernCall("pay", args)

type Case = readonly [
  what: string,
  body: string,
  fields: ReadonlyArray<string>,
  token: boolean,
  status: number,
  code?: number
]

const cases: ReadonlyArray<Case> = [
  ["a public name for an admin's tool", admin, modernFields("tools/call", "public"), true, 400, -32020],
  ["an admin's name for a public tool", modernCall("public"), modernFields("tools/call", "admin"), true, 400, -32020],
  ["a public method for a call", admin, modernFields("tools/list"), true, 400, -32020],
  ["an older revision in the field", admin, modernFields("tools/list", undefined, "2025-11-25"), true, 400, -32020],
  ["fields that agree are no permission", admin, modernFields("tools/call", "admin_delete"), true, 403],
  ["an allowed tool", modernCall("public"), modernFields("tools/call", "public"), true, 200],
  [
    "older revisions: the message decides",
    toolCall("admin_delete"),
    [
      "MCP-Protocol-Version: 2025-11-25",
      "Mcp-Method: tools/list",
      "Mcp-Name: public"
    ],
    true,
    403
  ],
  ["older revisions: an allowed tool", toolCall("public"), ["Mcp-Name: admin_delete"], true, 200],
  ["an argument within the limit", pay(`{"amount":100}`), modernFields("tools/call", "pay"), true, 200],
  ["an argument beyond it", pay(`{"amount":101}`), modernFields("tools/call", "pay"), true, 403],
  ["an argument twice", pay(`{"amount":1,"amount":101}`), modernFields("tools/call", "pay"), true, 400],
  ["an argument in two cases", pay(`{"amount":1,"Amount":101}`), modernFields("tools/call", "pay"), true, 400],
  [
    "a field that says another amount",
    pay(`{"amount":100}`),
    [
      ...modernFields("tools/call", "pay"),
      "Mcp-Param-Amount: 1"
    ],
    true,
    400,
    -32020
  ],
  ["anyone's list", modernMessage("tools/list"), modernFields("tools/list"), false, 200],
  ["anyone's list, disagreeing", modernMessage("tools/list"), modernFields("tools/call", "a"), false, 400, -32020],
  ["a call without a token", modernCall("public"), modernFields("tools/call", "public"), false, 401],
  ["a call without a token that says it is a list", modernCall("public"), modernFields("tools/list"), false, 401],
  ["a list of an older revision", message("tools/list"), [], false, 200]
]

describe("fields that repeat the message, with rules", () => {
  it.live("MO-1 MO-3 are compared before the rules decide by the message", () =>
    Effect.gen(function*() {
      for (const product of yield* products) {
        for (const [what, body, fields, token, status, code] of cases) {
          const where = `${product.name}: ${what}`
          const before = product.forwarded()
          const headers = new Headers({ "content-type": "application/json" })
          if (token) headers.set("authorization", "Bearer dev-token")
          for (const line of fields) headers.set(line.split(": ")[0] ?? "", line.split(": ")[1] ?? "")
          const response = yield* Effect.promise(() => product.send({ method: "POST", headers, body }))
          const text = yield* Effect.promise(() => response.text())
          assert.strictEqual(response.status, status, `${where} ${text}`)
          if (code !== undefined) {
            const { error, id } = JSON.parse(text)
            assert.deepStrictEqual([id, error.code], [7, code], where)
          }
          assert.strictEqual(product.forwarded() - before, status === 200 ? 1 : 0, where)
        }
      }
    }).pipe(Effect.scoped))
})
