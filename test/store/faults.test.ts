/**
 * A store that fails in every way, behind a proxy that spoils its replies: no caller is wrongly accepted, and none is
 * wrongly rejected.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { eventually } from "../fixtures/eventually.ts"
import { type Fault, makeFaultyProxy } from "../support/FaultyProxy.ts"
import { startRedis } from "../support/RedisServer.ts"
import { connected, introspection, makeIssuer, namesIn, startReplica, storedName } from "./ReplicaFixture.ts"

const changed = (change: (text: string) => string): Fault => ({
  _tag: "Changed",
  change: (piece) => Buffer.from(change(piece.toString("latin1")), "latin1")
})

const reply = (text: string): Fault => changed(() => text)

const faults: Readonly<Record<string, Fault>> = {
  "nothing but success": reply("+OK\r\n"),
  "an error with a name in it": reply("-ERR alice@example.com\r\n"),
  "that it is loading": reply("-LOADING Redis is loading the dataset in memory\r\n"),
  "that the slot is elsewhere": reply("-MOVED 3999 127.0.0.1:6381\r\n"),
  "that it is full": reply("-OOM command not allowed when used memory > 'maxmemory'.\r\n"),
  "that it is read-only": reply("-READONLY You can't write against a read only replica.\r\n"),
  "a number": reply(":1\r\n"),
  "a list": reply("*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
  "nothing for each key": reply("$-1\r\n"),
  "an accepted token in the clear": reply("$21\r\n{\"active\":true,\"a\":1}\r\n"),
  "no Redis at all": reply("HTTP/1.1 400 Bad Request\r\n\r\n"),
  "more replies than questions": changed((text) => `${text}+OK\r\n$1\r\na\r\n`),
  "replies with a changed byte": changed((text) => text.replace(/[a-zA-Z](?=[^a-zA-Z]*$)/, "~")),
  "half of each reply, and ends the connection": { _tag: "Cut" },
  "nothing": { _tag: "Silent" },
  "everything too late": { _tag: "Late", millis: 400 }
}

layer(Layer.empty, { excludeTestServices: true, timeout: "120 seconds" })("a store that fails", (it) => {
  for (const [name, fault] of Object.entries(faults)) {
    it.effect(`REPL-05 REPL-03 MUST accept valid tokens and reject invented ones regardless of its replies: ${name}`, () =>
      Effect.gen(function*() {
        const redis = yield* startRedis()
        const issuer = yield* makeIssuer
        const proxy = yield* makeFaultyProxy(redis.port)
        const { said, status } = yield* startReplica(issuer, `redis://127.0.0.1:${proxy.port}`, {
          storeTimeoutMillis: 100
        })
        yield* connected(redis, 1)
        assert.strictEqual(yield* status(yield* issuer.issueOpaque()), 200)
        yield* proxy.become(fault)
        for (let count = 0; count < 6; count++) {
          assert.strictEqual(yield* status(yield* issuer.issueOpaque()), 200)
          assert.strictEqual(yield* status(`invented-${count}`), 401)
          assert.strictEqual(yield* status(yield* issuer.sign()), 200)
        }
        assert.isAtMost(said("The store cannot be read"), 1)
        assert.isAtMost(said("The store cannot be written"), 1)
        assert.strictEqual(said("alice"), 0)
        // It is used again without intervention.
        yield* proxy.become({ _tag: "None" })
        yield* redis.command("FLUSHALL")
        yield* eventually(Effect.gen(function*() {
          assert.strictEqual(yield* status(yield* issuer.issueOpaque()), 200)
          yield* Effect.sleep(100)
          return (yield* namesIn(redis)).some((entry) => entry.includes(":verdict:"))
        }))
      }))
  }

  it.effect("REPL-05 MUST serve while the store is down, and say that once, and once that it is back", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const { said, status } = yield* startReplica(issuer, redis.url)
      yield* connected(redis, 1)
      yield* redis.kill
      for (let count = 0; count < 8; count++) assert.strictEqual(yield* status(yield* issuer.issueOpaque()), 200)
      assert.strictEqual(said("The store cannot be read"), 1)
      yield* redis.start
      yield* eventually(Effect.andThen(
        Effect.flatMap(issuer.issueOpaque(), status),
        Effect.sync(() => said("The store is read again") === 1)
      ))
      assert.strictEqual(said("The store cannot be read"), 1)
    }))

  it.effect("REPL-05 MUST read a full store, and go on without writing to it", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const one = yield* startReplica(issuer, redis.url)
      yield* connected(redis, 1)
      const token = yield* issuer.issueOpaque()
      assert.strictEqual(yield* one.status(token), 200)
      yield* storedName(redis, "verdict")
      yield* redis.command("CONFIG", "SET", "maxmemory", "1")
      const other = yield* startReplica(issuer, redis.url)
      yield* connected(redis, 2)
      const before = yield* issuer.hits(introspection)
      assert.strictEqual(yield* other.status(token), 200)
      assert.strictEqual(yield* issuer.hits(introspection), before)
      for (let count = 0; count < 4; count++) assert.strictEqual(yield* other.status(yield* issuer.issueOpaque()), 200)
      yield* eventually(() => other.said("The store cannot be written") === 1)
      assert.strictEqual(other.said("The store cannot be read"), 0)
    }))

  it.effect("REPL-03 MUST NOT accept a token because of what someone else puts under its name", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const { said, status } = yield* startReplica(issuer, redis.url)
      yield* connected(redis, 1)
      const good = yield* issuer.issueOpaque()
      assert.strictEqual(yield* status(good), 200)
      const place = yield* storedName(redis, "verdict")
      const accepted = (yield* redis.command("GET", place)).split("\r\n")[1] ?? assert.fail()
      const contents = [
        ["SET", accepted],
        ["SET", `${accepted.slice(0, -4)}AAAA`],
        ["SET", accepted.slice(0, 40)],
        ["SET", "{\"until\":9999999999999,\"identity\":{\"subject\":\"root\"}}"],
        ["SET", ""],
        ["SET", "A".repeat(300_000)],
        ["LPUSH", "x"],
        ["SADD", "x"]
      ] as const
      for (const [at, [command, content]] of contents.entries()) {
        const invented = `invented-${at}`
        // Its name is found out as someone does who can read along: it is the one that comes with the token.
        const { status: first } = yield* startReplica(issuer, redis.url)
        const before = new Set(yield* namesIn(redis))
        assert.strictEqual(yield* first(invented), 401)
        let own: string | undefined
        yield* eventually(Effect.map(namesIn(redis), (names) => {
          own = names.find((name) => name.includes(":verdict:") && !before.has(name))
          return own !== undefined
        }))
        yield* redis.command("DEL", own ?? assert.fail())
        yield* redis.command(command, own ?? assert.fail(), content)
        const fresh = yield* startReplica(issuer, redis.url)
        assert.strictEqual(yield* fresh.status(invented), 401, content.slice(0, 50))
        assert.strictEqual(yield* fresh.status(good), 200)
      }
      assert.strictEqual(said("root"), 0)
    }))
})
