import { assert, describe, it } from "@effect/vitest"
import { growth, type Sample } from "./cases/growth.ts"

const flat: Sample = { memory: 30, primary: 20, descriptors: 40, connections: 1 }

const run = (count: number, change: (index: number) => Partial<Sample>): ReadonlyArray<Sample> =>
  Array.from({ length: count }, (_, index) => ({ ...flat, ...change(index) }))

describe("the growth of a soak", () => {
  it("is what comes in 10 minutes of a long run", () => {
    // 0.2 MiB a minute for an hour; one descriptor a minute.
    const { descriptors, memory } = growth(
      run(60, (minute) => ({ memory: 30 + minute * 0.2, descriptors: 40 + minute })),
      60
    )
    assert.closeTo(memory, 2, 1e-9)
    // Between the beginnings of the first third and the last: 55 minutes without the warm-up, two thirds of them.
    assert.strictEqual(descriptors, 37)
  })

  it("is all that comes in a run of less than 10 minutes", () => {
    assert.closeTo(growth(run(9, (index) => ({ memory: 30 + index })), 13).memory, 5, 1e-9)
  })

  it("does not count the warm-up, nor what is only passing", () => {
    const warming = growth(run(60, (minute) => ({ memory: minute < 5 ? 10 : 30, connections: minute < 5 ? 0 : 1 })), 60)
    assert.deepStrictEqual(warming, { memory: 0, primary: 0, descriptors: 0, connections: 0 })
    const passing = growth(run(60, (minute) => ({ memory: minute % 2 === 0 ? 30 : 50 })), 60)
    assert.strictEqual(passing.memory, 0)
  })

  it("counts each of the things by itself", () => {
    const late = growth(run(12, (index) => ({ primary: index < 9 ? 20 : 22, connections: index < 9 ? 1 : 4 })), 10)
    assert.deepStrictEqual(late, { memory: 0, primary: 2, descriptors: 0, connections: 3 })
  })
})
