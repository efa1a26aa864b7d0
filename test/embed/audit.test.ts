/** The audit log in servers that embed the gateway. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { type AuditEntry, InvalidConfiguration, makeFetchMiddleware } from "mcp-authorizer"
import { ping, toolCall } from "../fixtures/messages.ts"

const resource = "https://notes.example.com/mcp"

const setUp = (config: { readonly audit_log?: string } = {}) => {
  const entries: Array<AuditEntry> = []
  const { dispose, protect } = makeFetchMiddleware({
    static_tokens: "canary-c0ffee-0123456789:client-1:user-1:notes:read",
    public_url: "https://notes.example.com",
    audit_arguments: ["greet.name"],
    ...config
  }, { audit: (entry) => entries.push(entry), logger: Logger.layer([]) })
  const bodies: Array<string> = []
  const handler = protect(async (request) => {
    bodies.push(await request.text())
    return new Response("{}", { headers: { "content-type": "application/json" } })
  })
  return {
    entries,
    bodies,
    dispose: Effect.promise(dispose),
    send: (body: string, token: string | undefined) =>
      Effect.promise(() =>
        handler(
          new Request(resource, {
            method: "POST",
            headers: {
              "content-type": "application/json",
              "x-trace-id": "trace-1",
              ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
            },
            body
          })
        )
      )
  }
}

const good = "canary-c0ffee-0123456789"

const lasting = ({ duration_ms, time, ...entry }: AuditEntry) => {
  assert.match(time, /Z$/)
  assert.isAtLeast(duration_ms, 0)
  return entry
}

describe("the audit log of an embedded server", () => {
  it.live("has what was let in, with the tool and the named arguments, and what was not", () =>
    Effect.gen(function*() {
      const { bodies, dispose, entries, send } = setUp()
      const call =
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet","arguments":{"name":"Ann","x":1}}}`
      assert.strictEqual((yield* send(call, good)).status, 200)
      assert.strictEqual((yield* send(ping, undefined)).status, 401)
      assert.strictEqual((yield* send(`[${toolCall("one")},${toolCall("two")}]`, good)).status, 200)
      assert.strictEqual((yield* send(`{"method":"a","method":"b"}`, good)).status, 400)
      const common = { trace_id: "trace-1", http_method: "POST" }
      const caller = { provider: "static", subject: "user-1", client: "client-1" }
      assert.deepStrictEqual<unknown>(entries.map(lasting), [
        { ...common, ...caller, method: "tools/call", tool: "greet", arguments: { name: "Ann" }, decision: "allowed" },
        { ...common, decision: "unauthenticated", error: "MissingCredential", status: 401 },
        { ...common, ...caller, method: "tools/call", tool: "one", decision: "allowed" },
        { ...common, ...caller, method: "tools/call", tool: "two", decision: "allowed" },
        { ...common, ...caller, decision: "rejected", error: "InvalidRequest", reason: "AmbiguousMessage", status: 400 }
      ])
      assert.deepStrictEqual(bodies, [call, `[${toolCall("one")},${toolCall("two")}]`])
      yield* dispose
    }))

  it("can go to the console, and not to a file", () => {
    setUp({ audit_log: "stdout" })
    try {
      setUp({ audit_log: "/var/log/audit.log" })
      assert.fail("made")
    } catch (error) {
      assert.instanceOf(error, InvalidConfiguration)
      assert.match(String(error), /MCP_AUDIT_LOG: is a path, and only the program on Node writes files/)
    }
  })
})
