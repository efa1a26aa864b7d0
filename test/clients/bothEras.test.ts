import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { eventually } from "../fixtures/eventually.ts"
import { clients } from "./clients.ts"
import { ProtectedServers } from "./ProtectedServers.ts"

const servers = [["server 1.x", "v1", "official-v1"], ["server 2.x", "v2", "official-v2"]] as const

/** Long enough to be still running when anything else has happened. */
const endless = { steps: 10_000, pauseMillis: 5 }

layer(ProtectedServers.layer, { excludeTestServices: true })("both protocol eras through the gateway", (it) => {
  for (const [serverName, key, name] of servers) {
    for (const [clientName, connect] of clients) {
      const modern = clientName === "client 2.x auto" && key === "v2"

      describe(`${clientName} with ${serverName}`, () => {
        it.effect("lists and calls tools", () =>
          Effect.gen(function*() {
            const { bearer, [key]: server } = yield* ProtectedServers
            const client = yield* connect(server.protectedUrl, { headers: yield* bearer() })
            assert.strictEqual(client.protocolVersion(), modern ? "2026-07-28" : "2025-11-25")
            assert.strictEqual(client.serverName(), name)
            assert.includeMembers([...yield* client.tools], ["echo", "add", "whoami", "slow", "announce"])
            assert.strictEqual(yield* client.call("echo", { message: "grüße ✓" }), "grüße ✓")
            assert.strictEqual(yield* client.call("add", { a: 2, b: 3 }), "5")
          }))

        it.effect("FW-2 tells the MCP server who calls, and nothing that the client claims", () =>
          Effect.gen(function*() {
            const { bearer, issuer, [key]: server } = yield* ProtectedServers
            const claims = { sub: "alice", client_id: "cli", scope: "mcp:read mcp:write", email: "alice@example.com" }
            const headers = {
              ...yield* bearer({ claims }),
              "x-auth-user-id": "admin",
              "X-Auth-Client-Id": "admin",
              "x-auth-role": "admin"
            }
            const client = yield* connect(server.protectedUrl, { headers })
            assert.deepStrictEqual(JSON.parse(yield* client.call("whoami")), {
              "x-auth-user-id": "alice",
              "x-auth-client-id": "cli",
              "x-auth-issuer": issuer.issuer,
              "x-auth-scopes": "mcp:read mcp:write",
              "x-auth-email": "alice@example.com",
              "x-auth-provider": "main",
              "x-auth-principal": "user"
            })
          }))

        it.effect("ID-1 tells two callers apart whose calls cross", () =>
          Effect.gen(function*() {
            const { bearer, [key]: server } = yield* ProtectedServers
            const open = (sub: string) =>
              Effect.flatMap(bearer({ claims: { sub } }), (headers) => connect(server.protectedUrl, { headers }))
            const [alice, bob] = yield* Effect.all([open("alice"), open("bob")])
            const callers = Array.from({ length: 20 }, (_, index) => index % 3 === 0 ? alice : bob)
            const responses = yield* Effect.forEach(callers, (client) => client.call("whoami"), {
              concurrency: "unbounded"
            })
            assert.deepStrictEqual(
              responses.map((response) => JSON.parse(response)["x-auth-user-id"]),
              callers.map((client) => client === alice ? "alice" : "bob")
            )
          }))

        it.effect("gets all progress of a slow call, in order", () =>
          Effect.gen(function*() {
            const { bearer, [key]: server } = yield* ProtectedServers
            const client = yield* connect(server.protectedUrl, { headers: yield* bearer() })
            const progress: Array<number> = []
            const done = yield* client.call("slow", { steps: 5, pauseMillis: 5 }, (step) => progress.push(step))
            assert.strictEqual(done, "5 steps")
            assert.deepStrictEqual(progress, [1, 2, 3, 4, 5])
          }))

        // In a session a lost connection does not cancel the request: the client may come back for the response.
        const leaving = key === "v2"
        it.effect(`FW-5 gets progress while the call still runs${leaving ? ", FW-6 and the call ends when it leaves" : ""}`, () =>
          Effect.gen(function*() {
            const { bearer, [key]: server } = yield* ProtectedServers
            const before = server.cancelled()
            const scope = yield* Scope.fork(yield* Effect.scope)
            const client = yield* Scope.provide(connect(server.protectedUrl, { headers: yield* bearer() }), scope)
            const progress: Array<number> = []
            const call = yield* Effect.forkChild(
              Effect.ignore(client.call("slow", endless, (step) => progress.push(step)))
            )
            yield* eventually(() => progress.length >= 3)
            assert.strictEqual(yield* client.call("echo", { message: "duringCall" }), "duringCall")
            assert.isUndefined(call.pollUnsafe())
            assert.strictEqual(server.cancelled(), before)
            yield* leaving ? Scope.close(scope, Exit.void) : Fiber.interrupt(call)
            yield* eventually(() => server.cancelled() > before)
          }))

        // A server without sessions cannot find the call that a legacy `notifications/cancelled` names.
        if (key === "v2" && !modern) return

        it.effect("cancels a call and goes on", () =>
          Effect.gen(function*() {
            const { bearer, [key]: server } = yield* ProtectedServers
            const client = yield* connect(server.protectedUrl, { headers: yield* bearer() })
            const before = server.cancelled()
            const progress: Array<number> = []
            const call = yield* Effect.forkChild(client.call("slow", endless, (step) => progress.push(step)))
            yield* eventually(() => progress.length > 0)
            assert.strictEqual(server.cancelled(), before)
            yield* Fiber.interrupt(call)
            yield* eventually(() => server.cancelled() > before)
            assert.strictEqual(yield* client.call("echo", { message: "still here" }), "still here")
          }))
      })
    }
  }
})
