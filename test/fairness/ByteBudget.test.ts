import { assert, describe, it } from "@effect/vitest"
import { ByteBudget } from "../../src/fairness/ByteBudget.ts"

const owner = (group: string, member = "only") => ({ group, member })

/** Of as many and more of them one message may wait for each. */
const unit = 128 * 1024

/** Messages that may wait, however small the budget is. */
const places = 64

/** A budget of so many units, and claims that record when they were granted or rejected. */
const setUp = (units: number) => {
  const budget = new ByteBudget(units * unit)
  const granted: Array<string> = []
  const rejected: Array<string> = []
  return {
    budget,
    granted,
    rejected,
    /** The held memory, in units. */
    held: () => budget.held / unit,
    claim: (name: string, from: string, units: number) => {
      const claim = budget.open(owner(from, name))
      claim.take(units * unit, () => granted.push(name), () => rejected.push(name))
      return claim
    }
  }
}

describe("ByteBudget", () => {
  it("grants a caller half, queues its other requests, and grants others what is left", () => {
    const { claim, granted, held } = setUp(160)
    for (let index = 0; index < 20; index++) claim(`a${index}`, "a", 20)
    assert.deepStrictEqual([granted.length, held()], [4, 80])
    claim("b", "b", 30)
    assert.deepStrictEqual([granted.at(-1), held()], ["b", 110])
  })

  it("grants returned bytes to the callers in turn", () => {
    const { claim, granted } = setUp(6)
    const first = claim("a0", "a", 2)
    const other = claim("b0", "b", 2)
    for (const name of ["a1", "a2"]) claim(name, "a", 2)
    claim("b1", "b", 2)
    assert.deepStrictEqual(granted, ["a0", "b0"])
    first.release()
    assert.deepStrictEqual(granted, ["a0", "b0", "a1"])
    other.release()
    assert.deepStrictEqual(granted, ["a0", "b0", "a1", "b1"])
  })

  it("returns what is not kept, once", () => {
    const { claim, held } = setUp(160)
    const one = claim("a", "a", 50)
    one.keep(60 * unit)
    assert.strictEqual(held(), 50)
    one.keep(20 * unit)
    assert.strictEqual(held(), 20)
    one.release()
    one.release()
    assert.strictEqual(held(), 0)
  })

  it("forgets a request that leaves while it waits", () => {
    const { budget, claim, granted } = setUp(40)
    const holding = claim("a0", "a", 15)
    const waiting = claim("a1", "a", 15)
    assert.deepStrictEqual([granted, budget.waiting], [["a0"], 1])
    waiting.release()
    holding.release()
    assert.deepStrictEqual([granted, budget.waiting, budget.held], [["a0"], 0, 0])
  })

  it("serves any number of messages in sequence: none holds a part while it waits for the rest", () => {
    const { budget, claim, granted } = setUp(200)
    const claims = Array.from({ length: 100 }, (_, index) => claim(`${index}`, "a", 60))
    for (let done = 0; done < 100; done++) {
      const next = granted[done] ?? assert.fail(`no owner is served after ${done}`)
      claims[Number(next)]?.release()
    }
    assert.deepStrictEqual([new Set(granted).size, budget.held], [100, 0])
  })

  it("lets a caller use half of the queue: one more is rejected, and others wait", () => {
    const { budget, claim, granted, rejected } = setUp(8)
    const claims = Array.from({ length: 50 }, (_, index) => claim(`a${index}`, "a", 4))
    assert.deepStrictEqual([granted, budget.waiting, rejected.length], [["a0"], places / 2, 49 - places / 2])
    rejected.length = 0
    for (let index = 0; index < 20; index++) claim(`b${index}`, "b", 4)
    assert.deepStrictEqual([granted, budget.waiting, rejected], [["a0", "b0"], places * 3 / 4, ["b17", "b18", "b19"]])
    // Those that leave make room for others.
    claims[1]?.release()
    claims[2]?.release()
    claim("c0", "c", 4)
    assert.deepStrictEqual([budget.waiting, rejected.length], [places * 3 / 4 - 1, 3])
    claims[0]?.release()
    assert.deepStrictEqual([granted, budget.waiting], [["a0", "b0", "a3"], places * 3 / 4 - 2])
  })

  it("queues as many requests as hold half of a large budget", () => {
    const { budget, claim } = setUp(2 * places)
    for (let index = 0; index < 2 * places; index++) claim(`a${index}`, "a", 64)
    assert.strictEqual(budget.waiting, places)
    claim("b", "b", 64)
    assert.strictEqual(budget.waiting, places)
  })
})
