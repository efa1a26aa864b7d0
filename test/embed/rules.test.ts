/** Rules in servers that embed the gateway: the same decisions as in front of a server, with and without a caller. */
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import {
  Authentication,
  CurrentIdentity,
  GatewayConfig,
  type GatewayConfigInput,
  layerVerifier,
  makeFetchMiddleware,
  requireToolScopes
} from "mcp-authorizer"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { initialize, message, ping, toolCall } from "../fixtures/messages.ts"
import { serveRoutes } from "../support/serve.ts"

const config: GatewayConfigInput = {
  static_tokens: "reader:c:reader:notes:read;admin:c:admin:notes:admin",
  public_url: "https://notes.example.com",
  rules: [
    { methods: ["initialize", "tools/list", "ping", "notifications/*"], allow: "anyone" },
    { tools: ["hello", "annotated"], allow: "anyone" },
    { tools: ["delete_*"], scopes: ["notes:delete"] },
    { tools: ["pay"], when: "message.arguments.amount <= 100" },
    { tools: ["*"] }
  ],
  default_rule: "deny",
  scope_implies: { "notes:admin": ["notes:delete"] }
}

interface Row {
  readonly token: string | undefined
  readonly body: string
  readonly status: number
  readonly scope?: string
  readonly caller?: string
}

/** The results of requests, in every kind of server. */
const rows: ReadonlyArray<Row> = [
  { token: undefined, body: initialize, status: 200 },
  { token: undefined, body: toolCall("hello"), status: 200 },
  { token: undefined, body: `[${ping},${toolCall("hello")}]`, status: 200 },
  { token: "reader", body: ping, status: 200, caller: "reader" },
  { token: undefined, body: toolCall("delete_x"), status: 401, scope: "notes:delete" },
  { token: undefined, body: `[${ping},${toolCall("delete_x")}]`, status: 401, scope: "notes:delete" },
  { token: undefined, body: toolCall("other"), status: 401 },
  { token: undefined, body: `{"jsonrpc":"2.0","id":1,"result":{}}`, status: 401 },
  { token: undefined, body: "junk", status: 401 },
  { token: "wrong", body: ping, status: 401 },
  { token: "reader", body: toolCall("delete_x"), status: 403, scope: "notes:delete" },
  { token: "admin", body: toolCall("delete_x"), status: 200, caller: "admin" },
  {
    token: "reader",
    body: message("tools/call", `{"name":"pay","arguments":{"amount":100}}`),
    status: 200,
    caller: "reader"
  },
  { token: "reader", body: message("tools/call", `{"name":"pay","arguments":{"amount":101}}`), status: 403 },
  { token: "reader", body: message("unknown"), status: 403 },
  { token: "reader", body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}`, status: 400 },
  { token: "reader", body: message("tools/call", `{"name":"hello","Name":"delete_x"}`), status: 400 }
]

type Ask = (init: RequestInit) => Effect.Effect<Response>

const requestOf = ({ body, token }: Pick<Row, "body" | "token">): RequestInit => ({
  method: "POST",
  body,
  headers: {
    "content-type": "application/json",
    "x-auth-user-id": "spoofed",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
  }
})

/** Asserts the rows of a server that responds with its caller, or with `nobody`. */
const assertRows = Effect.fnUntraced(function*(ask: Ask) {
  for (const row of rows) {
    const response = yield* ask(requestOf(row))
    const text = yield* Effect.promise(() => response.text())
    assert.strictEqual(response.status, row.status, `${row.token} ${row.body} ${text}`)
    if (row.status === 200) assert.strictEqual(text, row.caller ?? "nobody", row.body)
    const field = response.headers.get("www-authenticate")
    assert.strictEqual(field !== null, row.status === 401 || row.status === 403)
    assert.strictEqual(field === null ? undefined : parseChallenge(field).parameters.get("scope"), row.scope)
  }
  for (const [method, status] of [["GET", 405], ["DELETE", 405]] as const) {
    const response = yield* ask({ method })
    assert.strictEqual(response.status, status)
    yield* Effect.promise(() => response.text())
  }
})

const quiet = Logger.layer([])

describe("rules in an embedded server", () => {
  it.live("makeFetchMiddleware: `admit` lets in without a caller what anyone may do", () =>
    Effect.gen(function*() {
      const middleware = makeFetchMiddleware(config, { logger: quiet })
      const handle = middleware.admit((request, identity) => {
        assert.isNull(request.headers.get("x-auth-user-id"))
        return new Response(identity?.subject ?? "nobody")
      })
      yield* assertRows((init) => Effect.promise(() => handle(new Request("https://notes.example.com/mcp", init))))
      yield* Effect.promise(() => middleware.dispose())
    }))

  it.live("makeFetchMiddleware: `protect` never calls its handler without a caller", () =>
    Effect.gen(function*() {
      const middleware = makeFetchMiddleware(config, { logger: quiet })
      const handle = middleware.protect((_, identity) => new Response(identity.subject))
      const ask = (row: Pick<Row, "body" | "token">) =>
        Effect.promise(() => handle(new Request("https://notes.example.com/mcp", requestOf(row))))
      for (const body of [ping, initialize, toolCall("hello")]) {
        assert.strictEqual((yield* ask({ token: undefined, body })).status, 401)
        assert.strictEqual((yield* ask({ token: "reader", body })).status, 200)
      }
      assert.strictEqual((yield* ask({ token: "reader", body: toolCall("delete_x") })).status, 403)
      yield* Effect.promise(() => middleware.dispose())
    }))

  it.live("makeFetchMiddleware: scopes of a tool apply regardless of the rules, and are listed", () =>
    Effect.gen(function*() {
      const middleware = makeFetchMiddleware(config, { logger: quiet, toolScopes: { annotated: ["notes:annotate"] } })
      const handle = middleware.admit((_, identity) => new Response(identity?.subject ?? "nobody"))
      const ask = (path: string, init: RequestInit) =>
        Effect.promise(() => handle(new Request(`https://notes.example.com${path}`, init)))
      const without = yield* ask("/mcp", requestOf({ token: undefined, body: toolCall("annotated") }))
      assert.strictEqual(without.status, 401)
      assert.strictEqual(
        parseChallenge(without.headers.get("www-authenticate") ?? "").parameters.get("scope"),
        "notes:annotate"
      )
      assert.strictEqual((yield* ask("/mcp", requestOf({ token: "reader", body: toolCall("annotated") }))).status, 403)
      assert.strictEqual((yield* ask("/mcp", requestOf({ token: undefined, body: toolCall("hello") }))).status, 200)
      const document = yield* ask("/.well-known/oauth-protected-resource/mcp", {})
      const { scopes_supported } = yield* Effect.promise(async () => await document.json() as Record<string, unknown>)
      assert.deepStrictEqual(scopes_supported, ["notes:delete", "notes:annotate"])
      yield* Effect.promise(() => middleware.dispose())
    }))

  const Notes = Toolkit.make(requireToolScopes(Tool.make("annotated"), ["notes:annotate"]))

  it.live("Authentication: a handler learns the caller, if there is one; one that needs a caller fails without", () =>
    Effect.gen(function*() {
      const origin = yield* serveRoutes(
        Layer.mergeAll(
          HttpRouter.add(
            "*",
            "/mcp",
            Effect.gen(function*() {
              const { headers } = yield* HttpServerRequest.HttpServerRequest
              assert.isUndefined(headers["x-auth-user-id"])
              const caller = yield* Effect.serviceOption(CurrentIdentity)
              return HttpServerResponse.text(
                Option.match(caller, { onNone: () => "nobody", onSome: (one) => one.subject })
              )
            })
          ),
          HttpRouter.add(
            "POST",
            "/strict",
            Effect.map(CurrentIdentity, ({ subject }) => HttpServerResponse.text(subject))
          )
        ).pipe(
          Layer.provide(Authentication.layerToolkit(Notes)),
          Layer.provide(layerVerifier),
          Layer.provide(GatewayConfig.layer(config))
        )
      )
      yield* assertRows((init) => Effect.promise(() => fetch(`${origin}/mcp`, init)))
      const strict = (token: string | undefined) =>
        Effect.promise(() => fetch(`${origin}/strict`, requestOf({ token, body: ping })))
      assert.strictEqual((yield* strict("reader")).status, 200)
      assert.strictEqual((yield* strict(undefined)).status, 500)
      const document = yield* Effect.promise(() => fetch(`${origin}/.well-known/oauth-protected-resource`))
      const { scopes_supported } = yield* Effect.promise(async () => await document.json() as Record<string, unknown>)
      assert.deepStrictEqual(scopes_supported, ["notes:delete", "notes:annotate"])
    }))
})
