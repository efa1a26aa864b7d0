import { assert, describe, it } from "@effect/vitest"
import { type Place, Turns } from "../../src/node/Turns.ts"

/** An event loop that turns by hand. */
const makeLoop = () => {
  let steps: Array<() => void> = []
  return {
    later: (step: () => void) => {
      steps.push(step)
    },
    turn: () => {
      const now = steps
      steps = []
      for (const step of now) step()
    },
    /** Whether anything keeps it going. */
    isIdle: () => steps.length === 0
  }
}

const owner = (group: string, member = "1") => ({ group, member })

describe("Turns", () => {
  it("lets a few steps be taken in one turn, and as many in the next", () => {
    const loop = makeLoop()
    const turns = new Turns(3, loop.later)
    assert.deepStrictEqual(Array.from({ length: 5 }, () => turns.begin()), [true, true, true, false, false])
    loop.turn()
    assert.deepStrictEqual(Array.from({ length: 5 }, () => turns.begin()), [true, true, true, false, false])
    loop.turn()
    assert.isTrue(loop.isIdle())
  })

  it("gives a peer that has just come the next turn, however many wait of another", () => {
    const loop = makeLoop()
    const turns = new Turns(4, loop.later)
    const taken: Array<string> = []
    for (let index = 0; index < 100; index++) turns.wait(owner("a", String(index)), () => void taken.push("a"))
    loop.turn()
    turns.wait(owner("b"), () => void taken.push("b"))
    loop.turn()
    assert.lengthOf(taken, 8)
    assert.include(taken, "b")
    for (let turn = 0; turn < 24; turn++) loop.turn()
    assert.lengthOf(taken, 101)
    assert.isTrue(loop.isIdle())
  })

  it("counts the steps of those that waited, so that those that come have what is left", () => {
    const loop = makeLoop()
    const turns = new Turns(3, loop.later)
    turns.wait(owner("a"), () => {})
    turns.wait(owner("b"), () => {})
    loop.turn()
    assert.deepStrictEqual([turns.begin(), turns.begin()], [true, false])
  })

  it("forgets those that have left", () => {
    const loop = makeLoop()
    const turns = new Turns(3, loop.later)
    const taken: Array<string> = []
    const place: Place | undefined = turns.wait(owner("a"), () => void taken.push("a"))
    turns.wait(owner("b"), () => void taken.push("b"))
    assert.isDefined(place)
    if (place !== undefined) turns.leave(place)
    loop.turn()
    assert.deepStrictEqual(taken, ["b"])
  })
})
