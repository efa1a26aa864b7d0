import { assert, describe, it } from "@effect/vitest"
import { shown } from "../../../src/config/kinds/kind.ts"
import { rateLimits } from "../../../src/config/kinds/rateLimits.ts"
import { complete, rejectionOf, settingsOf } from "../resolving.ts"

const limit = { by: ["subject"], limit: 60, window: 60 }

const resolved = (limits: unknown) => settingsOf({ ...complete, MCP_RATE_LIMITS: JSON.stringify(limits) }).rateLimits

const problemOf = (limits: unknown) => {
  const { message, problems } = rejectionOf({ ...complete, MCP_RATE_LIMITS: JSON.stringify(limits) })
  assert.deepStrictEqual(problems.map(({ setting }) => setting), ["MCP_RATE_LIMITS"], message)
  return problems[0]?.problem ?? ""
}

describe("rate limits", () => {
  it("are read with their defaults", () => {
    assert.deepStrictEqual(resolved([limit]), [{
      by: ["subject"],
      on: "messages",
      limit: 60,
      windowMillis: 60_000,
      algorithm: "fixed-window",
      tools: undefined,
      servers: undefined
    }])
  })

  it("are read with all members, and dimensions in one order", () => {
    const whole = {
      by: ["tool", "subject", "tool"],
      on: "messages",
      limit: 1,
      window: 86_400,
      algorithm: "token-bucket",
      tools: ["delete_*", "pay"],
      servers: ["notes"]
    }
    const read = resolved([whole, { by: ["address"], on: "failures", limit: 10, window: 60 }])
    assert.deepStrictEqual(read[0]?.by, ["subject", "tool"])
    assert.deepStrictEqual(resolved(shown(rateLimits, read)), read)
  })

  it("are rejected with the number of the entry", () => {
    const cases: ReadonlyArray<readonly [unknown, RegExp]> = [
      [[], /without members/],
      [{ ...limit }, /not a JSON array/],
      [[limit, 1], /entry 2 is not an object/],
      [[limit, { ...limit, by: [] }], /entry 2 has a by/],
      [[{ ...limit, by: "subject" }], /entry 1 has a by/],
      [[{ ...limit, by: ["user"] }], /entry 1 has a by/],
      [[{ ...limit, limit: 0 }], /entry 1 has a limit/],
      [[{ ...limit, limit: 1.5 }], /entry 1 has a limit/],
      [[{ ...limit, limit: "60" }], /entry 1 has a limit/],
      [[{ ...limit, window: 0 }], /entry 1 has a window/],
      [[{ ...limit, window: 99_999_999 }], /entry 1 has a window/],
      [[{ by: ["subject"], limit: 1 }], /entry 1 has a window/],
      [[{ ...limit, algorithm: "sliding" }], /entry 1 has an algorithm/],
      [[{ ...limit, on: "errors" }], /entry 1 has an on/],
      [[{ ...limit, tools: [] }], /entry 1 has a member tools/],
      [[{ ...limit, tools: "a" }], /entry 1 has a member tools/],
      [[{ ...limit, servers: [""] }], /entry 1 has a member servers/],
      [[{ ...limit, windows: 1 }], /entry 1 has an unknown member windows/],
      [[{ ...limit, on: "failures" }], /entry 1 counts failures by more/],
      [[{ by: ["address", "subject"], on: "failures", limit: 1, window: 1 }], /entry 1 counts failures by more/],
      [[{ by: ["address"], on: "failures", limit: 1, window: 1, tools: ["a"] }], /entry 1 counts failures of tools/],
      [Array.from({ length: 33 }, () => limit), /too long/]
    ]
    for (const [limits, problem] of cases) assert.match(problemOf(limits), problem, JSON.stringify(limits))
  })
})
