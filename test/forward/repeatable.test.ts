import { assert, describe, it } from "@effect/vitest"
import { isRepeatable } from "../../src/forward/repeatable.ts"

const encoder = new TextEncoder()
const post = (message: unknown) => isRepeatable({ method: "POST", body: encoder.encode(JSON.stringify(message)) })
const call = (method: string) => ({ jsonrpc: "2.0", id: 1, method })

describe("which requests may be sent twice", () => {
  it("idempotent methods and messages that only read may be repeated", () => {
    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) assert.isTrue(isRepeatable({ method, body: undefined }))
    for (const method of ["initialize", "ping", "tools/list", "resources/read", "notifications/initialized"]) {
      assert.isTrue(post(call(method)), method)
      assert.isTrue(post([call(method), call("ping")]), method)
    }
  })

  it("messages that may change something, or that are not understood, may not be repeated", () => {
    for (const method of ["tools/call", "sampling/createMessage", "tasks/cancel", "x/list", "Ping", "__proto__", ""]) {
      assert.isFalse(post(call(method)), method)
      assert.isFalse(post([call("ping"), call(method)]), method)
    }
    for (const message of [{ jsonrpc: "2.0", id: 1, result: {} }, [], "ping", null, { method: ["ping"] }]) {
      assert.isFalse(post(message), JSON.stringify(message))
    }
    assert.isFalse(isRepeatable({ method: "POST", body: undefined }))
    assert.isFalse(isRepeatable({ method: "POST", body: encoder.encode("{") }))
    assert.isFalse(isRepeatable({ method: "PATCH", body: encoder.encode(JSON.stringify(call("ping"))) }))
  })
})
