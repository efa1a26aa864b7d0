import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Shares } from "../../src/fairness/Shares.ts"
import { elementsTouched } from "../support/elementsTouched.ts"

/** Takes as much as an owner can get, one by one. */
const greed = (shares: Shares, owner: string): number => {
  let count = 0
  while (shares.claim(shares.of(owner))) count++
  return count
}

describe("Shares", () => {
  it("gives each owner as much as it leaves free, so that newcomers find something left", () => {
    const shares = new Shares(64)
    assert.strictEqual(greed(shares, "a"), 32)
    assert.strictEqual(greed(shares, "b"), 16)
    assert.strictEqual(greed(shares, "c"), 8)
    assert.strictEqual(shares.held, 56)
    assert.isTrue(shares.claim(shares.of("d")))
  })

  it("evens out owners that come and go", () => {
    const shares = new Shares(90)
    const [a, b] = [shares.of("a"), shares.of("b")]
    greed(shares, "a")
    for (let round = 0; round < 200; round++) {
      greed(shares, "b")
      if (a.held > 0) shares.release(a)
      greed(shares, "a")
      if (b.held > 0) shares.release(b)
    }
    assert.isAtMost(Math.abs(a.held - b.held), 2)
  })

  it("returns everything, including the last one", () => {
    const shares = new Shares(1)
    const share = shares.of("a")
    assert.isTrue(shares.claim(share))
    assert.isFalse(shares.claim(shares.of("b")))
    shares.release(share)
    assert.strictEqual(shares.held, 0)
    assert.isTrue(shares.claim(shares.of("b")))
  })

  it("claims amounts whole or not at all", () => {
    const shares = new Shares(100)
    const share = shares.of("a")
    assert.isFalse(shares.claim(share, 101))
    assert.isTrue(shares.claim(share, 40))
    assert.isFalse(shares.claim(share, 30))
    assert.strictEqual(shares.held, 40)
  })

  it("forgets owners that hold nothing, and keeps those that do", () => {
    const shares = new Shares(10)
    const holder = shares.of("holder")
    shares.claim(holder)
    const idle = shares.of("idle")
    for (let index = 0; index < 10_000; index++) shares.of(`owner-${index}`)
    assert.isTrue(idle.isGone)
    assert.isFalse(holder.isGone)
    assert.strictEqual(shares.of("holder"), holder)
  })

  it("looks through those that hold something once in a while, and not for each owner that comes", () =>
    Effect.gen(function*() {
      const shares = new Shares(1_000_000)
      const hold = (count: number, name: string) =>
        Effect.sync(() => {
          for (let index = 0; index < count; index++) shares.claim(shares.of(`${name}${index}`))
        })
      yield* hold(4_096, "first")
      const touched = yield* elementsTouched(hold(4_000, "more"))
      assert.isAtMost(touched, 4 * 4_096)
    }).pipe(Effect.runSync))
})
