import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { ClientConnections } from "../../src/node/ClientConnections.ts"

/** A connection that knows whether it was closed. */
interface Fake {
  isIdle: boolean
  isClosed: boolean
  readonly destroy: () => void
}

const connection = (isIdle = true): Fake => {
  const fake = { isIdle, isClosed: false, destroy: () => void (fake.isClosed = true) }
  return fake
}

/** Opens that many connections of a peer. */
const opened = (connections: ClientConnections<Fake>, peer: string, count: number, isIdle = true): Array<Fake> =>
  Array.from({ length: count }, () => {
    const fake = connection(isIdle)
    assert.isTrue(connections.add(peer, fake))
    return fake
  })

const positions = (fakes: ReadonlyArray<Fake>): ReadonlyArray<number> =>
  [...fakes.keys()].filter((index) => fakes[index]?.isClosed === true)

describe("ClientConnections", () => {
  it("closes nothing below the limit", () => {
    const connections = new ClientConnections<Fake>(() => 4)
    const all = opened(connections, "a", 4)
    assert.deepStrictEqual(positions(all), [])
    assert.strictEqual(connections.displaced, 0)
  })

  it("closes the oldest idle connection of the peer that has the most", () => {
    const connections = new ClientConnections<Fake>(() => 5)
    const many = [...opened(connections, "a", 1, false), ...opened(connections, "a", 2)]
    const few = opened(connections, "b", 2)
    opened(connections, "c", 1)
    assert.deepStrictEqual(positions(many), [1])
    assert.deepStrictEqual(positions(few), [])
    assert.strictEqual(connections.size, 5)
    assert.strictEqual(connections.displaced, 1)
  })

  it("closes a busy connection only for another peer", () => {
    const connections = new ClientConnections<Fake>(() => 3)
    const busy = opened(connections, "a", 3, false)
    assert.isFalse(connections.add("a", connection()))
    assert.deepStrictEqual(positions(busy), [])
    opened(connections, "b", 1)
    assert.deepStrictEqual(positions(busy), [0])
  })

  it("lets a peer that has the most replace its own idle connection, and none of others", () => {
    const connections = new ClientConnections<Fake>(() => 4)
    const own = opened(connections, "a", 2)
    const others = opened(connections, "b", 2)
    opened(connections, "a", 1)
    assert.deepStrictEqual(positions(own), [0])
    assert.deepStrictEqual(positions(others), [])
  })

  it("has room again when connections have closed, each counted once", () => {
    const connections = new ClientConnections<Fake>(() => 2)
    const [first, second] = opened(connections, "a", 2)
    assert.isDefined(first)
    assert.isDefined(second)
    for (const closed of [first, first, second]) connections.remove("a", closed)
    assert.strictEqual(connections.size, 0)
    opened(connections, "a", 2)
    assert.strictEqual(connections.displaced, 0)
  })

  it("applies a lower limit to new connections", () => {
    let limit = 4
    const connections = new ClientConnections<Fake>(() => limit)
    const all = opened(connections, "a", 4)
    limit = 2
    opened(connections, "b", 1)
    assert.deepStrictEqual(positions(all), [0])
    assert.strictEqual(connections.size, 4)
  })

  it.prop(
    "keeps to its limit, and never closes a connection for a peer that has as many",
    {
      steps: Arbitrary.schema(
        Schema.Array(Schema.Tuple([Schema.Literals(["a", "b", "c", "d"]), Schema.Boolean, Schema.Boolean]))
          .check(Schema.isMaxLength(200))
      )
    },
    ({ steps }) => {
      const connections = new ClientConnections<Fake>(() => 12)
      const open = new Map<string, Array<Fake>>()
      const of = (peer: string): Array<Fake> => {
        const own = (open.get(peer) ?? []).filter(({ isClosed }) => !isClosed)
        open.set(peer, own)
        return own
      }
      for (const [peer, leaves, isIdle] of steps) {
        const own = of(peer)
        const [oldest] = own
        if (leaves && oldest !== undefined) {
          connections.remove(peer, oldest)
          oldest.isClosed = true
          continue
        }
        const before = new Map([...open.keys()].map((name) => [name, of(name).length]))
        const next = connection(isIdle)
        if (connections.add(peer, next)) of(peer).push(next)
        else assert.isAtLeast(own.length, Math.max(...before.values()))
        for (const [name, count] of before) {
          if (name !== peer && of(name).length < count) assert.isAbove(count, before.get(peer) ?? 0)
        }
        const total = [...open.keys()].reduce((sum, name) => sum + of(name).length, 0)
        assert.strictEqual(connections.size, total)
        assert.isAtMost(total, 12)
      }
    }
  )
})
