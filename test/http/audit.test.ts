/** The audit entries of exchanges, on both drivers of the course. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import type { AuditEntry } from "../../src/audit/AuditEntry.ts"
import { AuditLog } from "../../src/audit/AuditLog.ts"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { layerVerifier } from "../../src/embed/layers.ts"
import { layerFetch } from "../../src/forward/HttpGatewayClient.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"
import * as NodeGateway from "../../src/node/NodeGateway.ts"
import type { Condition } from "../../src/rules/condition.ts"
import { eventually } from "../fixtures/eventually.ts"
import { initialize, message, ping, toolCall, toolsList } from "../fixtures/messages.ts"
import { staticProvider, staticToken } from "../fixtures/providers.ts"
import { ruled } from "../fixtures/rules.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { respond } from "../support/upstreamResponses.ts"

const credential = "canary-c0ffee-0123456789"

const { policy, ...withoutPolicy } = ruled({
  rules: [
    { methods: ["initialize", "tools/list"], allow: "anyone" },
    { tools: ["delete_*"], scopes: ["notes:delete"] },
    { tools: ["admin_*"] },
    { tools: ["*"] },
    { resources: ["note:///*"] }
  ],
  default_rule: "deny"
})

const never: Condition = { text: "false", needsArguments: false, test: () => "false" }

/** The third rule has a condition that is false. */
const rules = {
  ...withoutPolicy,
  policy: policy && {
    ...policy,
    rules: policy.rules.map((rule) => rule.index === 3 ? Object.assign({ ...rule }, { when: never }) : rule)
  }
}

const drivers = {
  "as effects": Layer.unwrap(Effect.map(HttpApp, ({ handle }) => HttpServer.serve(handle))).pipe(
    Layer.provide(HttpApp.layer),
    Layer.provide([layerVerifier, layerFetch]),
    Layer.provideMerge(NodeHttpServer.layerServer(() => createServer(), { host: "127.0.0.1", port: 0 }))
  ),
  "with callbacks": NodeGateway.layerUnannounced()
}

/** A gateway with each driver in turn, its log, and a function to send requests. */
const start = Effect.fnUntraced(function*(driver: keyof typeof drivers, overrides: Partial<GatewaySettings> = {}) {
  const upstream = yield* makeRecordingUpstream
  const entries: Array<AuditEntry> = []
  const config = settings(`${upstream.origin}/mcp`, {
    bindSessions: true,
    sessionKeys: [Redacted.make("a-key-of-sufficient-length-for-tests")],
    providers: [staticProvider([
      staticToken(credential, { subject: "user-1", clientId: "client-1", scopes: ["notes:read"] })
    ])],
    ...overrides
  })
  const context = yield* Layer.build(
    drivers[driver].pipe(
      Layer.provide(Layer.succeed(GatewayConfig, config)),
      Layer.provide(AuditLog.layer((entry) => entries.push(entry))),
      Layer.provideMerge(LogCapture.layer)
    )
  )
  const origin = NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)
  const log = Context.get(context, LogCapture)
  return {
    upstream,
    log,
    entries,
    /** Sends a request; returns its response, and its entries without what differs between runs. */
    ask: Effect.fnUntraced(function*(
      body: string | undefined,
      { bearer = credential, fields = {}, method = body === undefined ? "GET" : "POST", path = "/mcp" }: {
        readonly bearer?: string | null
        readonly fields?: Readonly<Record<string, string>>
        readonly method?: string
        readonly path?: string
      } = {}
    ) {
      entries.length = 0
      yield* log.clear
      const response = yield* Effect.promise(() =>
        fetch(`${origin}${path}`, {
          method,
          headers: {
            "x-trace-id": "trace-1",
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
            ...fields
          },
          ...(body === undefined ? {} : { body })
        })
      )
      yield* Effect.promise(() => response.text())
      // The log entry comes after the audit entries.
      yield* eventually(() => log.entries().some((entry) => entry.includes(`"message":"request"`)))
      assert.notInclude(JSON.stringify(entries), credential)
      return {
        response,
        entries: entries.map(({ client_address, duration_ms, time, trace_id, ...entry }) => {
          assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
          assert.isAtLeast(duration_ms, 0)
          assert.deepStrictEqual([client_address, trace_id], ["127.0.0.1", "trace-1"])
          return entry
        })
      }
    })
  }
})

const caller = { provider: "static", subject: "user-1", client: "client-1" }

const batch = (...messages: ReadonlyArray<string>) => `[${messages.join()}]`

const pay = (tool: string, note: string) =>
  message("tools/call", `{"name":"${tool}","arguments":{"amount":250,"secret":"s3cret","note":"${note}"}}`)

for (const driver of ["as effects", "with callbacks"] as const) {
  describe(`the audit log of the course, driven ${driver}`, () => {
    it.live("has who asked for which tool, prompt or resource, though there are no rules", () =>
      Effect.gen(function*() {
        const { ask } = yield* start(driver)
        const common = { ...caller, http_method: "POST", decision: "allowed", status: 200 }
        for (
          const [body, named] of [
            [toolCall("greet"), { method: "tools/call", tool: "greet" }],
            [message("prompts/get", `{"name":"p"}`), { method: "prompts/get", prompt: "p" }],
            [message("resources/read", `{"uri":"note:///1?v=2"}`), { method: "resources/read", resource: "note:///1" }],
            [ping, { method: "ping" }]
          ] as const
        ) {
          const { entries } = yield* ask(body)
          assert.deepStrictEqual<unknown>(entries, [{ ...common, ...named }])
        }
        const listening = yield* ask(undefined)
        assert.deepStrictEqual(listening.entries, [{
          ...caller,
          http_method: "GET",
          decision: "allowed",
          status: listening.response.status
        }])
      }))

    it.live("has one entry for each message of a batch, and none for responses to the server", () =>
      Effect.gen(function*() {
        const { ask } = yield* start(driver)
        const { entries } = yield* ask(batch(toolCall("one"), `{"jsonrpc":"2.0","id":7,"result":{}}`, toolCall("two")))
        assert.deepStrictEqual(entries.map(({ decision, tool }) => [tool, decision]), [
          ["one", "allowed"],
          ["two", "allowed"]
        ])
        const response = yield* ask(`{"jsonrpc":"2.0","id":7,"result":{}}`)
        assert.deepStrictEqual(response.entries.map(({ decision, method }) => [method, decision]), [
          [undefined, "allowed"]
        ])
      }))

    it.live("has one entry without a method for what is decided before a message is read", () =>
      Effect.gen(function*() {
        const { ask } = yield* start(driver, { requiredScopes: ["mcp:use", "notes:read"] })
        const none = yield* ask(toolCall("greet"), { bearer: null })
        assert.deepStrictEqual(none.entries, [{
          http_method: "POST",
          decision: "unauthenticated",
          error: "MissingCredential",
          status: 401
        }])
        const wrong = yield* ask(toolCall("greet"), { bearer: "another-token" })
        assert.deepStrictEqual(wrong.entries, [{
          http_method: "POST",
          decision: "unauthenticated",
          error: "InvalidToken",
          reason: "UnknownToken",
          status: 401
        }])
        const scopes = yield* ask(toolCall("greet"))
        assert.deepStrictEqual(scopes.entries, [{
          ...caller,
          http_method: "POST",
          decision: "missing_scopes",
          missing_scopes: ["mcp:use"],
          error: "InsufficientScope",
          status: 403
        }])
        const origin = yield* ask(toolCall("greet"), { fields: { origin: "https://evil.example" } })
        assert.deepStrictEqual(origin.entries, [{
          http_method: "POST",
          decision: "denied",
          error: "AccessDenied",
          reason: "Origin",
          status: 403
        }])
        for (const path of ["/healthz", "/readyz", "/nothing", "/.well-known/oauth-protected-resource"]) {
          assert.deepStrictEqual((yield* ask(undefined, { path })).entries, [])
        }
        assert.deepStrictEqual((yield* ask(undefined, { method: "OPTIONS" })).entries, [])
      }))

    it.live("has the rule that decided, the scopes that were missing, and why a message was denied", () =>
      Effect.gen(function*() {
        const { ask, log, upstream } = yield* start(driver, rules)
        const common = { ...caller, http_method: "POST", method: "tools/call" }
        const allowed = yield* ask(toolCall("greet"))
        assert.deepStrictEqual(allowed.entries, [{
          ...common,
          tool: "greet",
          decision: "allowed",
          rule: 4,
          status: 200
        }])
        const scopes = yield* ask(toolCall("delete_all"))
        assert.deepStrictEqual(scopes.entries, [{
          ...common,
          tool: "delete_all",
          decision: "missing_scopes",
          rule: 2,
          missing_scopes: ["notes:delete"],
          error: "InsufficientScope",
          status: 403
        }])
        const denied = yield* ask(toolCall("admin_stop"))
        assert.strictEqual(denied.entries[0]?.decision, "denied")
        assert.strictEqual(denied.entries[0]?.rule, 3)
        assert.match(String(denied.entries[0]?.reason), /condition/)
        const [line = ""] = log.entries().find((entry) => entry.includes(`"request"`))?.split("\n", 1) ?? []
        assert.deepInclude(JSON.parse(line).annotations, { method: "tools/call", tool: "admin_stop", rule: 3 })
        assert.match(JSON.parse(line).annotations.detail, /condition/)
        const byDefault = yield* ask(ping)
        assert.deepInclude(byDefault.entries[0], { decision: "denied", rule: "default", status: 403 })
        const anyone = yield* ask(toolsList, { bearer: null })
        assert.deepStrictEqual(anyone.entries, [{
          http_method: "POST",
          method: "tools/list",
          decision: "allowed",
          rule: 1,
          status: anyone.response.status
        }])
        const nobody = yield* ask(toolCall("greet"), { bearer: null })
        assert.deepInclude(nobody.entries[0], { decision: "unauthenticated", tool: "greet", rule: 4, status: 401 })
        yield* upstream.reset
        const mixed = yield* ask(batch(toolCall("greet"), toolCall("delete_all"), toolCall("admin_stop")))
        assert.deepStrictEqual(mixed.entries.map(({ decision, rule, tool }) => [tool, decision, rule]), [
          ["greet", "rejected", 4],
          ["delete_all", "missing_scopes", 2],
          ["admin_stop", "denied", 3]
        ])
        assert.lengthOf(upstream.requests(), 0)
      }))

    it.live("rejects and records what could be read in two ways, and says of the server's failures that they were allowed", () =>
      Effect.gen(function*() {
        const { ask, upstream } = yield* start(driver)
        const twice = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"one","name":"two"}}`
        for (const body of [twice, "{", message("tools/call", `{"name":7}`)]) {
          const { entries } = yield* ask(body)
          assert.lengthOf(entries, 1)
          assert.deepInclude(entries[0], { decision: "rejected", error: "InvalidRequest", status: 400 })
        }
        assert.lengthOf(upstream.requests(), 0)
        yield* upstream.respondWith(respond({ status: 307, headers: { location: "https://elsewhere.example/" } }))
        const { entries } = yield* ask(toolCall("greet"))
        assert.deepInclude(entries[0], {
          decision: "allowed",
          tool: "greet",
          error: "UpstreamUnavailable",
          status: 502
        })
      }))

    it.live("names a session by a digest that all of its requests share, and no other", () =>
      Effect.gen(function*() {
        const { ask, upstream } = yield* start(driver)
        yield* upstream.respondWith(respond({
          headers: { "content-type": "application/json", "mcp-session-id": "server-session" },
          body: "{}"
        }))
        const begun = yield* ask(initialize)
        const id = begun.response.headers.get("mcp-session-id") ?? assert.fail("no session")
        const used = yield* ask(toolCall("greet"), { fields: { "mcp-session-id": id } })
        const ended = yield* ask(undefined, { fields: { "mcp-session-id": id }, method: "DELETE" })
        const other = yield* ask(toolCall("greet"), { fields: { "mcp-session-id": `${id}0` } })
        const [digest, ...more] = [begun, used, ended].map(({ entries: [entry] }) => entry?.session)
        assert.match(String(digest), /^[0-9a-f]{16}$/)
        assert.deepStrictEqual(more, [digest, digest])
        assert.deepInclude(other.entries[0], { decision: "rejected", error: "SessionNotFound", status: 404 })
        assert.notStrictEqual(other.entries[0]?.session, digest)
      }))

    it.live("has no arguments but those that are named, and no long message passes unread", () =>
      Effect.gen(function*() {
        const { ask } = yield* start(driver, { auditArguments: ["pay.amount", "pay.note"] })
        const { entries } = yield* ask(pay("pay", "x".repeat(2_000_000)))
        assert.deepStrictEqual(entries[0]?.arguments, { amount: 250, note: `${"x".repeat(256)}…` })
        const other = yield* ask(pay("give", "x"))
        assert.notProperty(other.entries[0], "arguments")
        assert.notInclude(JSON.stringify([entries, other.entries]), "s3cret")
      }))

    it.live("has names that are cut and cleaned, and no token in them", () =>
      Effect.gen(function*() {
        const { ask } = yield* start(driver)
        const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
        for (
          const [name, shown] of [
            ["a\\u001b[31m\\nb", "a\ufffd[31m\ufffdb"],
            ["n".repeat(5_000), `${"n".repeat(256)}…`],
            [`x-${credential}`, "x-(the credential)"],
            [jwt, "(a token)"]
          ] as const
        ) {
          const { entries } = yield* ask(toolCall(name))
          assert.strictEqual(entries[0]?.tool, shown)
        }
      }))

    it.live("costs no request if what takes the entries throws", () =>
      Effect.gen(function*() {
        const { ask, entries, log } = yield* start(driver)
        entries.push = () => {
          throw new Error("no room")
        }
        const { response } = yield* ask(toolCall("greet"))
        assert.strictEqual(response.status, 200)
        assert.isTrue(log.entries().some((entry) => entry.includes("internal fault")))
      }))
  })
}

/** A gateway with rules. */
class Ruled extends Context.Service<Ruled, Effect.Success<ReturnType<typeof start>>>()(
  "mcp-authorizer/test/http/audit/Ruled"
) {
  static readonly layer = Layer.effect(Ruled, Effect.orDie(start("with callbacks", rules)))
}

const Message = Schema.Literals(["greet", "delete_all", "admin_stop", "(ping)", "(response)"])

const textOf = (name: typeof Message.Type): string => {
  switch (name) {
    case "(ping)":
      return ping
    case "(response)":
      return `{"jsonrpc":"2.0","id":7,"result":{}}`
    default:
      return toolCall(name)
  }
}

layer(Ruled.layer, { excludeTestServices: true })("the audit log of any batch", (it) => {
  it.effect.prop(
    "has one entry for each request of it, which are allowed if and only if the server gets it",
    [Schema.Array(Message).check(Schema.isMinLength(1), Schema.isMaxLength(6))],
    ([names]) =>
      Effect.gen(function*() {
        const { ask, upstream } = yield* Ruled
        yield* upstream.reset
        const { entries } = yield* ask(batch(...names.map(textOf)))
        const requests = names.filter((name) => name !== "(response)")
        assert.deepStrictEqual(
          entries.map(({ method, tool }) => method === undefined ? undefined : tool ?? "(ping)"),
          requests.length === 0 ? [undefined] : requests
        )
        const wasSent = upstream.requests().length === 1
        assert.strictEqual(entries.every(({ decision }) => decision === "allowed"), wasSent)
        assert.strictEqual(entries.some(({ decision }) => decision === "allowed"), wasSent)
        assert.strictEqual(requests.every((name) => name === "greet"), wasSent)
      }),
    { arbitrary: { runs: 60 } }
  )
})
