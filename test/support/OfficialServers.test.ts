import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { eventually } from "../fixtures/eventually.ts"
import { connectV1, connectV2, type OfficialClientOptions } from "./OfficialClients.ts"
import { officialServerV1 } from "./OfficialServerV1.ts"
import { officialServerV2 } from "./OfficialServerV2.ts"

const clients = [
  ["client 1.x", connectV1],
  ["client 2.x legacy", (url: string, options?: OfficialClientOptions) => connectV2(url, "legacy", options)],
  ["client 2.x auto", (url: string, options?: OfficialClientOptions) => connectV2(url, "auto", options)]
] as const

const servers = [["server 1.x", officialServerV1], ["server 2.x", officialServerV2]] as const

const headers = { "x-auth-user-id": "user-1", "x-other": "no" }

for (const [serverName, server] of servers) {
  for (const [clientName, connect] of clients) {
    describe(`${clientName} with ${serverName}`, () => {
      it.effect("calls tools", () =>
        Effect.gen(function*() {
          const { url } = yield* server
          const client = yield* connect(url, { headers })
          const modern = clientName === "client 2.x auto" && serverName === "server 2.x"
          assert.strictEqual(client.protocolVersion(), modern ? "2026-07-28" : "2025-11-25")
          assert.strictEqual(client.serverName(), serverName === "server 1.x" ? "official-v1" : "official-v2")
          assert.includeMembers([...yield* client.tools], ["echo", "add", "whoami", "slow", "announce"])
          assert.strictEqual(yield* client.call("echo", { message: "hello" }), "hello")
          assert.strictEqual(yield* client.call("add", { a: 2, b: 3 }), "5")
          assert.strictEqual(yield* client.call("whoami"), "{\"x-auth-user-id\":\"user-1\"}")
        }))

      it.effect("gets progress while a tool runs", () =>
        Effect.gen(function*() {
          const { url } = yield* server
          const client = yield* connect(url)
          const progress: Array<number> = []
          const done = yield* client.call("slow", { steps: 3, pauseMillis: 5 }, (step) => progress.push(step))
          assert.strictEqual(done, "3 steps")
          assert.deepStrictEqual(progress, [1, 2, 3])
        }))

      // A server without sessions cannot find the call that a legacy `notifications/cancelled` names.
      if (serverName === "server 2.x" && clientName !== "client 2.x auto") return

      it.effect("cancels a call", () =>
        Effect.gen(function*() {
          const { cancelled, url } = yield* server
          const client = yield* connect(url)
          const progress: Array<number> = []
          const call = yield* Effect.forkChild(
            client.call("slow", { steps: 10_000, pauseMillis: 5 }, (step) => progress.push(step))
          )
          yield* eventually(() => progress.length > 0)
          assert.strictEqual(cancelled(), 0)
          yield* Fiber.interrupt(call)
          yield* eventually(() => cancelled() > 0)
          assert.strictEqual(yield* client.call("echo", { message: "still here" }), "still here")
        }))
    })
  }
}

describe("server 1.x", () => {
  it.effect("has sessions, a GET stream and resumable streams", () =>
    Effect.gen(function*() {
      const { sessions, url } = yield* officialServerV1
      const client = yield* connectV1(url)
      assert.strictEqual(sessions(), 1)
      assert.isString(client.sessionId())
      assert.strictEqual(yield* client.call("interrupted", { message: "resumed" }), "resumed")
      assert.strictEqual(yield* client.call("announce", { message: "news" }), "announced")
      yield* eventually(() => client.notifications().length > 0)
      assert.deepStrictEqual(client.notifications(), ["notifications/message {\"level\":\"info\",\"data\":\"news\"}"])
      yield* client.terminate
      assert.strictEqual(sessions(), 0)
      const post = (session: Record<string, string>) =>
        Effect.promise(() =>
          fetch(url, { method: "POST", headers: session, body: "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}" })
        )
      assert.strictEqual((yield* post({ "mcp-session-id": "unknown" })).status, 404)
      assert.strictEqual((yield* post({})).status, 400)
    }))
})
