import { assert, describe, it } from "@effect/vitest"
import { ByteBudget } from "../../src/fairness/ByteBudget.ts"

const owner = (group: string, member = "only") => ({ group, member })

/** Claims that note when they were granted. */
const setUp = (bytes: number) => {
  const budget = new ByteBudget(bytes)
  const granted: Array<string> = []
  return {
    budget,
    granted,
    claim: (name: string, from: string, amount: number) => {
      const claim = budget.open(owner(from, name))
      claim.take(amount, () => granted.push(name))
      return claim
    }
  }
}

describe("ByteBudget", () => {
  it("grants a caller half, lets the rest wait, and grants others what is left", () => {
    const { budget, claim, granted } = setUp(160)
    for (let index = 0; index < 20; index++) claim(`a${index}`, "a", 20)
    assert.deepStrictEqual([granted.length, budget.held], [4, 80])
    claim("b", "b", 30)
    assert.deepStrictEqual([granted.at(-1), budget.held], ["b", 110])
  })

  it("grants what is given back to those whose turn it is, one caller after another", () => {
    const { claim, granted } = setUp(3)
    const first = claim("a0", "a", 1)
    const other = claim("b0", "b", 1)
    for (const name of ["a1", "a2"]) claim(name, "a", 1)
    claim("b1", "b", 1)
    assert.deepStrictEqual(granted, ["a0", "b0"])
    first.release()
    assert.deepStrictEqual(granted, ["a0", "b0", "a1"])
    other.release()
    assert.deepStrictEqual(granted, ["a0", "b0", "a1", "b1"])
  })

  it("gives back what is not kept, once", () => {
    const { budget, claim } = setUp(160)
    const one = claim("a", "a", 50)
    one.keep(60)
    assert.strictEqual(budget.held, 50)
    one.keep(20)
    assert.strictEqual(budget.held, 20)
    one.release()
    one.release()
    assert.strictEqual(budget.held, 0)
  })

  it("forgets one that leaves while it waits", () => {
    const { budget, claim, granted } = setUp(40)
    const holding = claim("a0", "a", 15)
    const waiting = claim("a1", "a", 15)
    assert.deepStrictEqual([granted, budget.waiting], [["a0"], 1])
    waiting.release()
    holding.release()
    assert.deepStrictEqual([granted, budget.waiting, budget.held], [["a0"], 0, 0])
  })

  it("serves any number of messages one after another: none holds a part and waits for the rest", () => {
    const { budget, claim, granted } = setUp(16)
    const claims = Array.from({ length: 100 }, (_, index) => claim(`${index}`, "a", 5))
    for (let done = 0; done < 100; done++) {
      const next = granted[done] ?? assert.fail(`nobody is served after ${done}`)
      claims[Number(next)]?.release()
    }
    assert.deepStrictEqual([new Set(granted).size, budget.held], [100, 0])
  })
})
