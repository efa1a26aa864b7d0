import { assert, describe, it } from "@effect/vitest"
import { FairQueue, type Offered, type Owner } from "../../src/fairness/FairQueue.ts"

const owner = (group: string, member = "only"): Owner => ({ group, member })

/** Takes all that is left. */
const drain = <A>(queue: FairQueue<A>): ReadonlyArray<A> => {
  const taken: Array<A> = []
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next)
  return taken
}

const outcome = <A>(offered: Offered<A>): A | string => offered._tag === "Displaces" ? offered.displaced : offered._tag

describe("FairQueue", () => {
  it("gives groups turns, however much one of them has queued", () => {
    const queue = new FairQueue<string>(100)
    for (let index = 0; index < 4; index++) queue.offer(owner("flood"), `flood-${index}`)
    queue.offer(owner("late"), "late-0")
    queue.offer(owner("later"), "later-0")
    queue.offer(owner("late"), "late-1")
    assert.deepStrictEqual(drain(queue), ["flood-0", "late-0", "later-0", "flood-1", "late-1", "flood-2", "flood-3"])
    assert.strictEqual(queue.size, 0)
  })

  it("gives the members of a group turns", () => {
    const queue = new FairQueue<string>(100)
    for (let index = 0; index < 3; index++) queue.offer(owner("nat", "flood"), `flood-${index}`)
    queue.offer(owner("nat", "good"), "good-0")
    queue.offer(owner("other"), "other-0")
    assert.deepStrictEqual(drain(queue), ["flood-0", "other-0", "good-0", "flood-1", "flood-2"])
  })

  it("skips groups that may not take their turn, which keep their place", () => {
    const queue = new FairQueue<string>(100)
    for (const name of ["a", "b", "c"]) queue.offer(owner(name), name)
    assert.strictEqual(queue.take((group) => group !== "a"), "b")
    assert.isUndefined(queue.take(() => false))
    assert.deepStrictEqual(drain(queue), ["a", "c"])
  })

  it("fills its capacity, and then evicts from the group with the most", () => {
    const queue = new FairQueue<string>(4)
    for (let index = 0; index < 4; index++) {
      assert.strictEqual(outcome(queue.offer(owner("flood"), `${index}`)), "Waits")
    }
    assert.strictEqual(outcome(queue.offer(owner("flood"), "4")), "Rejected")
    assert.strictEqual(outcome(queue.offer(owner("good"), "good-0")), "0")
    assert.strictEqual(outcome(queue.offer(owner("good"), "good-1")), "1")
    // Both have the same now.
    assert.strictEqual(outcome(queue.offer(owner("good"), "good-2")), "Rejected")
    assert.strictEqual(outcome(queue.offer(owner("flood"), "5")), "Rejected")
    assert.strictEqual(queue.size, 4)
    assert.deepStrictEqual(drain(queue), ["2", "good-0", "3", "good-1"])
  })

  it("evicts from the connection with the most within a group", () => {
    const queue = new FairQueue<string>(4)
    for (let index = 0; index < 4; index++) queue.offer(owner("nat", "flood"), `${index}`)
    assert.strictEqual(outcome(queue.offer(owner("nat", "good"), "good")), "0")
    assert.strictEqual(outcome(queue.offer(owner("nat", "flood"), "4")), "Rejected")
  })

  it("removes an entry that no longer waits, once", () => {
    const queue = new FairQueue<string>(2)
    const kept = queue.offer(owner("a"), "a")
    const gone = queue.offer(owner("b"), "b")
    if (kept._tag !== "Waits" || gone._tag !== "Waits") return assert.fail("there was room")
    queue.remove(gone.place)
    queue.remove(gone.place)
    assert.strictEqual(queue.size, 1)
    assert.strictEqual(queue.take(), "a")
    queue.remove(kept.place)
    assert.strictEqual(queue.size, 0)
  })
})
