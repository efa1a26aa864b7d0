import { assert, describe, it } from "@effect/vitest"
import { hottest } from "./report/hottest.ts"
import { compare, describeLimit, type Limits, missed } from "./report/limits.ts"
import { figure, median, type Score, score } from "./report/Outcome.ts"
import { number, scoreTable } from "./report/tables.ts"

const scored = (value: number): Score => score("seen/bare", "gateway to bare proxy", value)

const node = (id: number, functionName: string, url = "", lineNumber = -1) => ({
  id,
  callFrame: { functionName, url, lineNumber }
})

describe("the median", () => {
  it("is the value in the middle, in any order", () => {
    assert.strictEqual(median([9, 1, 100]), 9)
    // As text, 100 would come before 9.
    assert.strictEqual(median([100, 9, 1, 20, 3]), 9)
  })

  it("is the mean of the two in the middle of an even number", () => {
    assert.strictEqual(median([4, 1, 3, 2]), 2.5)
  })

  it("is NaN when nothing was measured, and does not change its input", () => {
    assert.isNaN(median([]))
    const values = [3, 1, 2]
    assert.deepStrictEqual(figure("x", "ms", values), { name: "x", unit: "ms", median: 2, least: 1, most: 3 })
    assert.deepStrictEqual(values, [3, 1, 2])
  })
})

describe("a limit", () => {
  it("is met at its exact value, as an upper and as a lower one", () => {
    assert.strictEqual(compare(scored(0.8), { atLeast: 0.8 }), "met")
    assert.strictEqual(compare(scored(0.799), { atLeast: 0.8 }), "missed")
    assert.strictEqual(compare(scored(1.5), { atMost: 1.5 }), "met")
    assert.strictEqual(compare(scored(1.501), { atMost: 1.5 }), "missed")
  })

  it("is missed by NaN, and affects only the figures that it names", () => {
    assert.strictEqual(compare(scored(NaN), { atLeast: 0.8 }), "missed")
    assert.strictEqual(compare(scored(NaN), { atMost: 1.5 }), "missed")
    assert.strictEqual(compare(scored(0.1), undefined), "no limit")
  })

  it("fails the check exactly where it is missed", () => {
    const limits: Limits = { "seen/bare": { atLeast: 0.8 }, "latency/bare": { atMost: 1.5 } }
    const slow = score("latency/bare", "added", 2)
    assert.deepStrictEqual(missed([scored(0.9), slow, score("new", "no limit", 0)], limits), [slow])
    assert.deepStrictEqual(missed([scored(0.9)], limits), [])
  })

  it("is printed as it is", () => {
    assert.strictEqual(describeLimit({ atLeast: 1, atMost: 1.5 }), "≥ 1, ≤ 1.5")
    assert.strictEqual(describeLimit(undefined), "")
  })
})

describe("the tables", () => {
  it("line up, and say which score misses its limit", () => {
    assert.strictEqual(
      scoreTable([scored(0.5), score("a", "b", 12_345.6)], { "seen/bare": { atLeast: 0.8 } }),
      [
        "| Score     | What                  | Value  | Limit | Verdict  |",
        "| --------- | --------------------- | ------ | ----- | -------- |",
        "| seen/bare | gateway to bare proxy | 0.5    | ≥ 0.8 | missed   |",
        "| a         | b                     | 12,346 |       | no limit |"
      ].join("\n")
    )
  })

  it("show three digits of small numbers, and all of large ones", () => {
    assert.strictEqual(number(0.123_45), "0.123")
    assert.strictEqual(number(999.4), "999")
    assert.strictEqual(number(17_700.2), "17,700")
  })
})

describe("the hottest functions", () => {
  it("are counted by their own time once the process is warm, over all their places in the call tree", () => {
    const profile = {
      nodes: [
        node(1, "(idle)"),
        node(2, "(garbage collector)"),
        node(3, "send", "file:///x/dist/node/a.js", 6),
        node(4, "send", "file:///x/dist/node/a.js", 6),
        node(5, "", "node:net", 0)
      ],
      samples: [5, 1, 3, 4, 2, 5],
      timeDeltas: [100_000, 900_000, 30_000, 30_000, 30_000, 10_000]
    }
    assert.deepStrictEqual(hottest(profile, 2), [
      { name: "send node/a.js:7", share: 0.6, millis: 60 },
      { name: "(garbage collector)", share: 0.3, millis: 30 }
    ])
    assert.deepStrictEqual(hottest(profile, 3)[2]?.name, "(anonymous) node:net:1")
  })
})
