/** The examples of src/rules/README.md are true. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import type { Identity } from "../../src/identity/Identity.ts"
import { readOperations } from "../../src/message/operation.ts"
import { decide } from "../../src/rules/decide.ts"
import type { Decision } from "../../src/rules/Decision.ts"
import { settingsOf } from "../config/resolving.ts"

const page = readFileSync(new URL("../../src/rules/README.md", import.meta.url), "utf8")

const file: unknown = JSON.parse(/```json\n([^]*?)\n```/.exec(page)?.[1] ?? "")

const rows = /\| Caller \| Message \| Result \|\n.*\n((?:\|.*\n)+)/.exec(page)?.[1]?.trimEnd().split("\n") ?? []

const codesIn = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/`([^`]*)`/g), ([, code = ""]) => code)

const callerOf = (text: string): Identity | undefined => {
  if (text === "no token") return undefined
  const words = codesIn(text)
  return {
    subject: "someone",
    clientId: undefined,
    issuer: "https://issuer.example.com",
    scopes: text.startsWith("scopes") ? words : [],
    email: undefined,
    name: undefined,
    provider: "oidc",
    expiresAt: undefined,
    groups: text.startsWith("groups") ? words : [],
    claims: text.startsWith("groups") ? { groups: words } : { groups: [] }
  }
}

const messageOf = (text: string): string => {
  const [method = "", name, given] = codesIn(text)
  const params = method.startsWith("resources/") ? { uri: name } : { name, arguments: given && JSON.parse(given) }
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })
}

const by = (rule: number | undefined): string => rule === undefined ? "by the default rule" : `by rule ${rule}`

const shown = (decision: Decision): string => {
  switch (decision._tag) {
    case "Allow":
      return `allowed ${by(decision.rule)}`
    case "Unauthenticated":
      return decision.scopes.length === 0 ? "401" : `401, \`scope="${decision.scopes.join(" ")}"\``
    case "MissingScopes":
      return `403 \`insufficient_scope\`, \`scope="${decision.required.join(" ")}"\``
    case "Denied":
      return `403 \`access_denied\` ${by(decision.rule)}`
  }
}

describe("the examples of src/rules/README.md", () => {
  const { policy } = settingsOf({}, file)

  it("are many", () => assert.isAbove(rows.length, 12))

  it.each(rows)("%s", (row) => {
    const [, caller = "", message = "", result = ""] = row.split(" | ").join("|").split("|").map((cell) => cell.trim())
    const operations = Result.getOrThrow(
      readOperations(new TextEncoder().encode(messageOf(message)), { argumentsDecide: true })
    )
    const [operation] = operations
    if (operation === undefined || policy === undefined) return assert.fail("no operation, or no rules")
    assert.strictEqual(shown(decide(policy, operation, callerOf(caller), { now: 0, server: "" })), result)
  })
})

describe("the whole file of src/rules/README.md", () => {
  const section = page.slice(page.indexOf("## A whole file"))
  const whole = settingsOf({}, JSON.parse(/```json\n([^]*?)\n```/.exec(section)?.[1] ?? ""))

  const decisionOn = (server: string, caller: string, message: string): string => {
    const policy = whole.servers.find(({ serverName }) => serverName === server)?.policy
    const read = readOperations(new TextEncoder().encode(messageOf(message)), { argumentsDecide: true })
    const [operation] = Result.getOrThrow(read)
    if (operation === undefined || policy === undefined) return assert.fail("no operation, or no rules")
    return shown(decide(policy, operation, callerOf(caller), { now: 0, server }))
  }

  it("starts", () => {
    assert.deepStrictEqual(
      whole.servers.map(({ path, publicUrl }) => `${publicUrl}${path}`),
      ["/notes/mcp", "/payments/mcp", "/files/mcp"].map((path) => `https://mcp.example.com${path}`)
    )
    assert.deepStrictEqual(
      whole.servers.map(({ providers }) => providers.map(({ name }) => name)),
      [["staff"], ["staff"], ["staff", "partners"]]
    )
    assert.strictEqual(whole.rateLimits.length, 2)
    assert.strictEqual(whole.auditLog, "stdout")
  })

  it.each(
    [
      ["notes", "no token", "`tools/list`", "allowed by rule 1"],
      ["notes", "no token", "`tools/call` `read`", "401"],
      ["notes", "scopes `notes:delete`", "`tools/call` `delete_note`", "allowed by rule 2"],
      ["notes", "scopes `notes`", "`tools/call` `delete_note`", "403 `insufficient_scope`, `scope=\"notes:delete\"`"],
      ["notes", "groups `admins`", "`tools/call` `admin_reset`", "allowed by rule 3"],
      ["notes", "groups `others`", "`tools/call` `admin_reset`", "403 `access_denied` by rule 3"],
      ["payments", "groups `others`", "`tools/call` `pay` `{\"amount\":100}`", "allowed by rule 1"],
      ["payments", "groups `others`", "`tools/call` `pay` `{\"amount\":100.5}`", "403 `access_denied` by rule 1"],
      ["payments", "groups `finance`", "`tools/call` `pay` `{\"amount\":5000}`", "allowed by rule 1"]
    ] as const
  )("%s: %s, %s: %s", (server, caller, message, result) => {
    assert.strictEqual(decisionOn(server, caller, message), result)
  })
})
