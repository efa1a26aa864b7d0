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
    const turns = new Turns({ steps: 3, millis: 1 }, loop.later, () => 0)
    assert.deepStrictEqual(Array.from({ length: 5 }, () => turns.begin()), [true, true, true, false, false])
    loop.turn()
    assert.deepStrictEqual(Array.from({ length: 5 }, () => turns.begin()), [true, true, true, false, false])
    loop.turn()
    assert.isTrue(loop.isIdle())
  })

  it("gives a peer that has just come the next turn, however many wait of another", () => {
    const loop = makeLoop()
    const turns = new Turns({ steps: 4, millis: 1 }, loop.later, () => 0)
    const taken: Array<string> = []
    for (let index = 0; index < 100; index++) turns.wait(owner("a", String(index)), () => void taken.push("a"))
    loop.turn()
    turns.wait(owner("b"), () => void taken.push("b"))
    loop.turn()
    assert.lengthOf(taken, 8)
    assert.include(taken, "b")
    for (let turn = 0; turn < 25; turn++) loop.turn()
    assert.lengthOf(taken, 101)
    assert.isTrue(loop.isIdle())
  })

  it("counts the steps of those that waited, so that those that come have what is left", () => {
    const loop = makeLoop()
    const turns = new Turns({ steps: 3, millis: 1 }, loop.later, () => 0)
    turns.wait(owner("a"), () => {})
    turns.wait(owner("b"), () => {})
    loop.turn()
    assert.deepStrictEqual([turns.begin(), turns.begin()], [true, false])
  })

  it("forgets those that have left", () => {
    const loop = makeLoop()
    const turns = new Turns({ steps: 3, millis: 1 }, loop.later, () => 0)
    const taken: Array<string> = []
    const place: Place | undefined = turns.wait(owner("a"), () => void taken.push("a"))
    turns.wait(owner("b"), () => void taken.push("b"))
    assert.isDefined(place)
    if (place !== undefined) turns.leave(place)
    loop.turn()
    assert.deepStrictEqual(taken, ["b"])
  })

  it("begins no further step in a turn that has lasted too long, but at least one", () => {
    const loop = makeLoop()
    let millis = 0
    const turns = new Turns({ steps: 4, millis: 2 }, loop.later, () => millis)
    const taken: Array<number> = []
    for (let index = 0; index < 6; index++) {
      turns.wait(owner("a", String(index)), () => {
        taken.push(index)
        millis += index < 4 ? 1 : 5
      })
    }
    const inTurns = Array.from({ length: 4 }, () => {
      loop.turn()
      return taken.length
    })
    assert.deepStrictEqual(inTurns, [2, 4, 5, 6])
    assert.isFalse(turns.begin())
    loop.turn()
    assert.isTrue(turns.begin())
  })

  it("begins at once after a turn that is over, however long ago that was", () => {
    const loop = makeLoop()
    let millis = 0
    const turns = new Turns({ steps: 4, millis: 2 }, loop.later, () => millis)
    turns.wait(owner("a"), () => {})
    loop.turn()
    loop.turn()
    millis = 100
    assert.isTrue(loop.isIdle())
    assert.isTrue(turns.begin())
  })
})
