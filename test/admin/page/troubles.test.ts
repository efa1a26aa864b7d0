import { assert, describe, it } from "@effect/vitest"
import { readFilter } from "../../../src/admin/page/decisions.ts"
import { verdict } from "../../../src/admin/page/overview.ts"
import { page } from "../../../src/admin/page/page.ts"
import type { ProviderStatus, ServerStatus, Status } from "../../../src/admin/page/Status.ts"
import { troubles } from "../../../src/admin/page/troubles.ts"
import { now, standIn } from "./standIn.ts"

const texts = (status: Status) => troubles(status).map(({ level, text }) => `${level}: ${text}`)

const withServer = (change: (server: ServerStatus) => Partial<ServerStatus>): Status => {
  const status = standIn()
  return {
    ...status,
    servers: status.servers.map((server, index) => index === 1 ? Object.assign({}, server, change(server)) : server)
  }
}

const withProvider = (change: Partial<ProviderStatus>): Status => {
  const status = standIn()
  return {
    ...status,
    providers: status.providers.map((provider, index) => index === 0 ? Object.assign({}, provider, change) : provider)
  }
}

const failing = (failed: number) =>
  withServer((server) => ({
    traffic: { ...server.traffic, lastFiveMinutes: { passed: 100, rejected: 0, failed } }
  }))

describe("what needs attention", () => {
  it("is nothing in an ordinary hour, with expired tokens and clients without one", () => {
    assert.deepStrictEqual(texts(standIn()), [])
    assert.deepStrictEqual(verdict([]), { state: "ok", text: "Everything works" })
  })

  it("is a configuration that was changed and not taken over, with its problems", () => {
    const taken: Status = { ...standIn(), configuration: { generation: 2, since: now - 60_000 } }
    assert.deepStrictEqual(texts(taken), [])
    const problems = ["MCP_PATH: is not a plain absolute path. Begin with a slash", "PORT: is no number"]
    const failed: Status = {
      ...taken,
      configuration: { generation: 2, since: now - 60_000, failed: { at: now - 5_000, problems } }
    }
    assert.deepStrictEqual(texts(failed), [
      `bad: The configuration that was read 5 s ago is not used: ${problems[0]}, and 1 other problem`
    ])
    const whole = String(page({ status: failed, entries: [], filter: readFilter(new URLSearchParams()) }))
    for (const text of [...problems, "Configuration 2, for 1 min"]) assert.include(whole, text)
  })

  it("is an MCP server that does not respond, since when and why", () => {
    const down = withServer(() => ({
      state: "failing",
      lastPassedAt: now - 600_000,
      lastError: { at: now, error: "UpstreamUnavailable", detail: "ECONNREFUSED" }
    }))
    assert.deepStrictEqual(texts(down), ["bad: MCP server search has not responded for 10 min (ECONNREFUSED)"])
    const never = withServer(() => ({
      lastPassedAt: undefined,
      state: "failing",
      lastError: { at: now, error: "UpstreamTimeout" }
    }))
    assert.deepStrictEqual(texts(never), ["bad: MCP server search has never responded (UpstreamTimeout)"])
  })

  it("is an MCP server of whose requests many fail, but not one of many", () => {
    assert.deepStrictEqual(texts(failing(4)), [])
    assert.deepStrictEqual(texts(failing(20)), [
      "warn: MCP server search: 17 % of requests failed in the last 5 minutes"
    ])
  })

  it("is a provider that cannot be used, or works with old keys, and why", () => {
    assert.deepStrictEqual(
      texts(withProvider({
        ready: false,
        state: "refused",
        keySets: [],
        lastError: { at: now, error: "ProviderUnavailable", detail: "invalid_client" }
      })),
      ["bad: Provider workforce: rejects the gateway's own credentials (invalid_client)"]
    )
    assert.deepStrictEqual(texts(withProvider({ state: "stale", keySets: [] })), [
      "warn: Provider workforce: unreachable; its last keys are still used"
    ])
    assert.deepStrictEqual(texts(withProvider({ ready: false, state: "pending" })), [])
  })

  it("is a provider of whose tokens none is accepted, with the most frequent reason", () => {
    const none: Partial<ProviderStatus> = { accepted: 0, lastAcceptedAt: undefined, rejected: 2_436 }
    const [text = "", ...others] = texts(withProvider(none))
    assert.deepStrictEqual(others, [])
    assert.match(
      text,
      /^warn: Provider workforce: none of 2,436 requests with its tokens was accepted \(Expired token: exp /
    )
    assert.deepStrictEqual(texts(withProvider({ ...none, rejected: 2 })), [])
    assert.deepStrictEqual(texts(withProvider({ ...none, accepted: 1 })), [])
  })

  it("is that no caller gets in at all", () => {
    const status = standIn()
    const shut = {
      ...status,
      traffic: { ...status.traffic, lastHour: { passed: 0, rejected: 400, failed: 0 } }
    }
    assert.deepStrictEqual(texts(shut), [
      "bad: No token was accepted in the last hour. Most often: expired token (148 times)"
    ])
  })

  it("is a worker that does not reply", () => {
    assert.deepStrictEqual(texts({ ...standIn(), workers: { configured: 4, heard: 3 } }), [
      "warn: 1 of 4 workers did not respond; the numbers lack their part"
    ])
  })

  it("comes in the order of urgency, and each leads to an element of the page", () => {
    const status = standIn({ troubled: true })
    const found = troubles({ ...status, workers: { configured: 4, heard: 3 } })
    assert.deepStrictEqual(found.map(({ level }) => level), ["bad", "warn", "warn"])
    const whole = String(page({ status, entries: [], filter: readFilter(new URLSearchParams()) }))
    for (const { where } of found) assert.include(whole, `id="${where}"`)
  })
})

describe("the page of a small gateway", () => {
  it("with one server and no provider has no column and no filter that would say nothing", () => {
    const status = standIn()
    const [server] = status.servers
    const small: Status = {
      ...status,
      servers: server === undefined
        ? []
        : [{ ...server, name: "", state: "idle", lastPassedAt: undefined, providers: [] }],
      providers: [],
      rejections: [],
      warnings: []
    }
    const whole = String(page({ status: small, entries: [], filter: readFilter(new URLSearchParams()) }))
    for (const absent of ["filter-server", "filter-provider", "explain-server", "Valid, but unwise"]) {
      assert.notInclude(whole, absent)
    }
    for (
      const present of ["not called yet", "There is no provider", "No request was rejected", "Nothing was decided yet"]
    ) {
      assert.include(whole, present)
    }
  })
})
