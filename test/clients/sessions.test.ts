import { assert, describe, layer } from "@effect/vitest"
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client"
import * as Effect from "effect/Effect"
import { eventually } from "../fixtures/eventually.ts"
import { settings } from "../fixtures/settings.ts"
import { startGateway } from "../support/gateway.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { clients, legacyClients } from "./clients.ts"
import { ProtectedServers } from "./ProtectedServers.ts"

layer(ProtectedServers.layer, { excludeTestServices: true })("sessions and streams through the gateway", (it) => {
  for (const [clientName, connect] of clients) {
    describe(`${clientName} with server 1.x`, () => {
      it.effect("begins a session and ends it", () =>
        Effect.gen(function*() {
          const { bearer, v1 } = yield* ProtectedServers
          const before = v1.sessions()
          const client = yield* connect(v1.protectedUrl, { headers: yield* bearer() })
          assert.isString(client.sessionId())
          assert.strictEqual(v1.sessions(), before + 1)
          assert.strictEqual(yield* client.call("echo", { message: "in session" }), "in session")
          yield* client.terminate
          assert.strictEqual(v1.sessions(), before)
        }))

      it.effect("gets what the server sends on the GET stream", () =>
        Effect.gen(function*() {
          const { bearer, v1 } = yield* ProtectedServers
          const client = yield* connect(v1.protectedUrl, { headers: yield* bearer() })
          // The client opens the stream after `connect` has returned; earlier messages are lost.
          const announce = client.call("announce", { message: "news" }).pipe(
            Effect.andThen(Effect.sync(() => client.notifications().length))
          )
          yield* Effect.repeat(announce, { until: (heard) => heard > 0 })
          assert.strictEqual(client.notifications()[0], "notifications/message {\"level\":\"info\",\"data\":\"news\"}")
        }))

      it.effect("resumes a broken stream with Last-Event-ID and gets its response", () =>
        Effect.gen(function*() {
          const { bearer, v1 } = yield* ProtectedServers
          const client = yield* connect(v1.protectedUrl, { headers: yield* bearer() })
          assert.strictEqual(yield* client.call("interrupted", { message: "resumed" }), "resumed")
        }))

      it.effect("is identified by the token of each request, not by the session", () =>
        Effect.gen(function*() {
          const { issuer, v1 } = yield* ProtectedServers
          const oauth = new HeadlessOAuthClient()
          const become = Effect.fnUntraced(function*(sub: string) {
            oauth.saveTokens({ access_token: yield* issuer.sign({ claims: { sub } }), token_type: "Bearer" })
          })
          yield* become("alice")
          const client = yield* connect(v1.protectedUrl, { oauth })
          const session = client.sessionId()
          const whoami = Effect.map(client.call("whoami"), (text) => JSON.parse(text)["x-auth-user-id"])
          assert.strictEqual(yield* whoami, "alice")
          yield* become("bob")
          assert.strictEqual(yield* whoami, "bob")
          assert.strictEqual(client.sessionId(), session)
        }))
    })
  }

  it.effect("SE-1 rejects a known session without a token; SE-5 another gateway continues the session", () =>
    Effect.gen(function*() {
      const { bearer, v1 } = yield* ProtectedServers
      const client = yield* legacyClients[0][1](v1.protectedUrl, { headers: yield* bearer() })
      const other = yield* startGateway(settings(v1.url))
      const call = (url: string, headers: Readonly<Record<string, string>>) =>
        Effect.promise(async () => {
          const response = await fetch(url, {
            method: "POST",
            headers: {
              "content-type": "application/json",
              accept: "application/json, text/event-stream",
              "mcp-session-id": client.sessionId() ?? "",
              ...headers
            },
            body: "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"
          })
          await response.text()
          return response.status
        })
      assert.strictEqual(yield* call(v1.protectedUrl, {}), 401)
      assert.strictEqual(yield* call(v1.protectedUrl, yield* bearer()), 200)
      assert.strictEqual(yield* call(`${other.origin}/mcp`, { authorization: "Bearer dev-token" }), 200)
    }))

  it.effect("lets a modern client listen to changes, until it closes the subscription", () =>
    Effect.gen(function*() {
      const { bearer, v2 } = yield* ProtectedServers
      const client = new Client({ name: "listener", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } })
      let changes = 0
      client.setNotificationHandler("notifications/tools/list_changed", () => {
        changes += 1
      })
      yield* Effect.addFinalizer(() => Effect.promise(() => client.close()))
      const requestInit = { headers: yield* bearer() }
      yield* Effect.promise(async () => {
        await client.connect(new StreamableHTTPClientTransport(new URL(v2.protectedUrl), { requestInit }))
        const subscription = await client.listen({ toolsListChanged: true })
        assert.deepStrictEqual(subscription.honoredFilter, { toolsListChanged: true })
        assert.strictEqual(changes, 0)
        await client.callTool({ name: "announce", arguments: {} })
        return subscription
      }).pipe(
        Effect.tap(() => eventually(() => changes > 0)),
        Effect.flatMap((subscription) => Effect.promise(() => subscription.close().then(() => subscription.closed))),
        Effect.map((ended) => assert.strictEqual(ended, "local"))
      )
      assert.strictEqual(changes, 1)
    }))
})
