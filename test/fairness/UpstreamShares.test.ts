import { assert, describe, it } from "@effect/vitest"
import type { Owner } from "../../src/fairness/FairQueue.ts"
import { type Passage, UpstreamShares } from "../../src/fairness/UpstreamShares.ts"

const owner = (group: string, member = "only"): Owner => ({ group, member })

/** Shares whose later steps are taken by hand, and the passages that have a connection, in order. */
const setUp = (limits: ConstructorParameters<typeof UpstreamShares>[0]) => {
  const later: Array<() => void> = []
  const started: Array<string> = []
  const passages: Array<Passage> = []
  const shares = new UpstreamShares(limits, (step) => later.push(step))
  return {
    passages,
    shares,
    started,
    enter: (name: string, from?: Owner): Passage | undefined =>
      shares.enter(from, (passage) => {
        started.push(name)
        passages.push(passage)
      }),
    turn: () => {
      for (const step of later.splice(0)) step()
    }
  }
}

const limits = { maxWaiting: 100, maxConnections: 8, maxStreams: 4 }

describe("UpstreamShares", () => {
  it("gives a caller half of the connections, queues its other requests, and gives others what is left", () => {
    const { enter, shares, started } = setUp(limits)
    for (let index = 0; index < 10; index++) enter(`a${index}`, owner("a"))
    assert.deepStrictEqual(started, ["a0", "a1", "a2", "a3"])
    enter("b0", owner("b"))
    enter("c0", owner("c"))
    assert.deepStrictEqual(started.slice(4), ["b0", "c0"])
    assert.deepStrictEqual([shares.waiting, shares.connections], [12, 6])
  })

  it("gives callers turns when connections become free", () => {
    const { enter, passages, started, turn } = setUp({ ...limits, maxConnections: 1 })
    enter("a0", owner("a"))
    for (const name of ["a1", "a2"]) enter(name, owner("a", "1"))
    enter("a3", owner("a", "2"))
    enter("b0", owner("b"))
    for (let index = 0; index < 5; index++) {
      passages[index]?.settled()
      passages[index]?.ended()
      turn()
    }
    assert.deepStrictEqual(started, ["a0", "a1", "b0", "a3", "a2"])
  })

  it("rejects requests without a place, and returns places", () => {
    const { enter, shares } = setUp({ ...limits, maxWaiting: 8 })
    const mine = Array.from({ length: 8 }, (_, index) => enter(`a${index}`, owner("a")))
    assert.strictEqual(mine.filter((passage) => passage !== undefined).length, 4)
    assert.isDefined(enter("b", owner("b")))
    for (const passage of mine) passage?.settled()
    for (const passage of mine) passage?.settled()
    assert.strictEqual(shares.waiting, 1)
    assert.isDefined(enter("a", owner("a")))
  })

  it("keeps a connection in use although no request waits for it any more", () => {
    const { enter, shares, started, turn } = setUp({ ...limits, maxConnections: 2 })
    const left = enter("a0", owner("a"))
    enter("a1", owner("a"))
    left?.settled()
    turn()
    assert.deepStrictEqual([started, shares.connections], [["a0"], 1])
    left?.ended()
    left?.ended()
    turn()
    assert.deepStrictEqual([started, shares.connections], [["a0", "a1"], 1])
  })

  it("does not start a request that was cancelled while it waited", () => {
    const { enter, started, turn } = setUp({ ...limits, maxConnections: 1 })
    const first = enter("a0", owner("a"))
    enter("a1", owner("a"))?.settled()
    enter("a2", owner("a"))
    first?.settled()
    first?.ended()
    turn()
    assert.deepStrictEqual(started, ["a0", "a2"])
  })

  it("counts event streams apart from requests, with shares of their own", () => {
    const { enter, shares, started } = setUp(limits)
    const streams = ["a0", "a1", "a2"].map((name) => enter(name, owner("a")))
    assert.deepStrictEqual(streams.map((passage) => passage?.goesOn()), [true, true, false])
    for (const passage of streams) passage?.settled()
    streams[2]?.ended()
    assert.deepStrictEqual([shares.waiting, shares.connections], [0, 2])
    assert.isTrue(enter("b0", owner("b"))?.goesOn())
    for (let index = 3; index < 7; index++) enter(`a${index}`, owner("a"))
    assert.deepStrictEqual(started.slice(-4), ["a3", "a4", "a5", "a6"])
    for (const passage of streams) passage?.ended()
    assert.strictEqual(shares.connections, 5)
  })

  it("gives requests without a known owner no share, but bounds them", () => {
    const { enter, shares, started } = setUp({ ...limits, maxWaiting: 12 })
    const passages = Array.from({ length: 20 }, (_, index) => enter(`${index}`))
    assert.strictEqual(started.length, 8)
    assert.strictEqual(passages.filter((passage) => passage !== undefined).length, 12)
    assert.strictEqual(shares.connections, 8)
  })
})
