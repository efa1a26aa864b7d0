/** Lists of servers that embed the gateway: filtered as in front of a server. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import {
  Authentication,
  GatewayConfig,
  type GatewayConfigInput,
  layerVerifier,
  makeFetchMiddleware
} from "mcp-authorizer"
import { toolsList } from "../fixtures/messages.ts"
import { serveRoutes } from "../support/serve.ts"

const config: GatewayConfigInput = {
  static_tokens: "reader:c:reader:notes:read",
  public_url: "https://notes.example.com",
  rules: [{ methods: ["tools/list"] }, { tools: ["note_*"], scopes: ["notes:write"] }],
  default_rule: "deny"
}

const listOf = (...names: ReadonlyArray<string>) =>
  `{"jsonrpc":"2.0","id":1,"result":{"tools":[${names.map((name) => `{"name" : "${name}"}`).join(", ")}]}}`
const eventOf = (...names: ReadonlyArray<string>) => `: hi\n\ndata: ${listOf(...names)}\n\n`

const all = ["admin", "note_add", "admin2", "note_read"]
const kept = ["note_add", "note_read"]

interface Row {
  readonly type: string
  readonly body: string
  readonly encoding?: string
  readonly expected: { readonly status: number; readonly text?: string }
}

const rows: ReadonlyArray<Row> = [
  { type: "application/json", body: listOf(...all), expected: { status: 200, text: listOf(...kept) } },
  { type: "text/event-stream", body: eventOf(...all), expected: { status: 200, text: eventOf(...kept) } },
  { type: "application/json", body: `{"jsonrpc":"2.0","id":1,"result":{"tools":1}}`, expected: { status: 502 } },
  { type: "text/plain", body: listOf(...all), expected: { status: 502 } },
  { type: "application/json", body: listOf(...all), encoding: "gzip", expected: { status: 502 } }
]

const request: RequestInit = {
  method: "POST",
  body: toolsList,
  headers: { "content-type": "application/json", authorization: "Bearer reader", "accept-encoding": "gzip" }
}

const headersOf = ({ encoding, type }: Row): Record<string, string> => ({
  "content-type": type,
  ...(encoding === undefined ? {} : { "content-encoding": encoding })
})

const assertResponse = Effect.fnUntraced(function*(row: Row, response: Response) {
  // Clients cannot read a body that claims to be compressed.
  const text = yield* Effect.promise(() => response.text())
  assert.strictEqual(response.status, row.expected.status, row.body)
  if (row.expected.text !== undefined) assert.strictEqual(text, row.expected.text)
  assert.notInclude(text, "admin")
})

describe("lists of an embedded server with rules", () => {
  it.live("LST-01 LST-05 LST-06 makeFetchMiddleware leaves out what the caller can never use", () =>
    Effect.gen(function*() {
      const middleware = makeFetchMiddleware(config, { logger: Logger.layer([]) })
      for (const row of rows) {
        const handle = middleware.protect(({ headers }) => {
          assert.strictEqual(headers.get("accept-encoding"), "identity")
          return new Response(row.body, { headers: headersOf(row) })
        })
        const response = yield* Effect.promise(() => handle(new Request("https://notes.example.com/mcp", request)))
        yield* assertResponse(row, response)
      }
      yield* Effect.promise(() => middleware.dispose())
    }))

  const encoder = new TextEncoder()

  /** The forms that a response of a route can have. */
  const forms = {
    text: (row: Row) => HttpServerResponse.text(row.body, { headers: headersOf(row) }),
    bytes: (row: Row) => HttpServerResponse.uint8Array(encoder.encode(row.body), { headers: headersOf(row) }),
    stream: (row: Row) =>
      HttpServerResponse.stream(Stream.fromIterable([...row.body].map((part) => encoder.encode(part))), {
        headers: headersOf(row)
      }),
    raw: (row: Row) => HttpServerResponse.fromWeb(new Response(row.body, { headers: headersOf(row) }))
  }

  for (const [form, respond] of Object.entries(forms)) {
    it.live(`LST-01 LST-05 LST-06 Authentication leaves out what the caller can never use (${form})`, () =>
      Effect.gen(function*() {
        let row: Row | undefined
        const origin = yield* serveRoutes(
          HttpRouter.add(
            "*",
            "/mcp",
            Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) => {
              assert.strictEqual(headers["accept-encoding"], "identity")
              return row === undefined ? HttpServerResponse.empty() : respond(row)
            })
          ).pipe(
            Layer.provide(Authentication.layer),
            Layer.provide(layerVerifier),
            Layer.provide(GatewayConfig.layer(config))
          )
        )
        for (const next of rows) {
          row = next
          yield* assertResponse(next, yield* Effect.promise(() => fetch(`${origin}/mcp`, request)))
        }
      }))
  }
})
