/** The audit log and the log of the component, on both of its ways of a request. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { eventually } from "../fixtures/eventually.ts"
import { ping, toolCall } from "../fixtures/messages.ts"
import { componentGateway, type Variables } from "./support/BothGateways.ts"
import { ComponentHost } from "./support/ComponentHost.ts"

const bearer = (token: string) => `Authorization: Bearer ${token}`

const variables = (issuer: TestIssuer["Service"], more: Variables) => (gateway: string): Variables => ({
  mcp_server_url: gateway,
  mcp_jwt_issuer: issuer.issuer,
  mcp_jwt_jwks_uri: issuer.jwksUri,
  mcp_jwt_audience: "mcp-api",
  mcp_log_level: "info",
  ...more
})

layer(ComponentHost.layer, { excludeTestServices: true, timeout: "3 minutes" })("Component with an audit log", (it) => {
  it.effect("writes an entry for each decision, the first time and once it knows the token", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api" })
      const { exchange, host } = yield* componentGateway(variables(issuer, { mcp_audit_log: "stdout" }))
      const lines = () =>
        host.logged().split("\n").filter((line) => line.startsWith("{")).map((
          line
        ): Readonly<Record<string, unknown>> => JSON.parse(line))
      const token = yield* issuer.sign()
      for (const name of ["one", "two", "three"]) {
        assert.strictEqual((yield* exchange({ lines: [bearer(token)], body: toolCall(name) })).status, 200)
      }
      assert.strictEqual((yield* exchange({ body: ping })).status, 401)
      yield* eventually(() => lines().filter((line) => "decision" in line).length === 4)
      const entries = lines().filter((line) => "decision" in line)
      assert.deepStrictEqual(entries.map(({ decision, status, tool }) => [decision, tool, status]), [
        ["allowed", "one", 200],
        ["allowed", "two", 200],
        ["allowed", "three", 200],
        ["unauthenticated", undefined, 401]
      ])
      for (const { subject } of entries.slice(0, 3)) assert.strictEqual(subject, "user-1")
      const requests = lines().filter(({ message }) => message === "request")
      assert.deepStrictEqual(requests.map(({ level, method, status, tool }) => [level, method, tool, status]), [
        ["INFO", "tools/call", "one", 200],
        ["INFO", "tools/call", "two", 200],
        ["INFO", "tools/call", "three", 200],
        ["INFO", undefined, undefined, 401]
      ])
      assert.notInclude(host.logged(), token)
    }))

  it.effect("cannot have a file, and says so", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api" })
      const { exchange, host } = yield* componentGateway(variables(issuer, { mcp_audit_log: "/var/log/audit.log" }))
      assert.strictEqual((yield* exchange({ body: ping })).status, 500)
      assert.include(host.logged(), "MCP_AUDIT_LOG: is a path, and only the program on Node writes files")
    }))
})
