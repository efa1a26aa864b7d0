/** Replicas that share a real Redis server: what each of them requests once, and what the store learns. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { eventually } from "../fixtures/eventually.ts"
import { makeFaultyProxy } from "../support/FaultyProxy.ts"
import { startRedis } from "../support/RedisServer.ts"
import { connected, introspection, makeIssuer, namesIn, startReplica, storedName } from "./ReplicaFixture.ts"

const several = [1, 2, 3, 4]

layer(Layer.empty, { excludeTestServices: true, timeout: "120 seconds" })("replicas with one store", (it) => {
  it.effect("REPL-01 MUST ask the provider once about a token, whichever replica gets it", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const replicas = yield* Effect.forEach(several, () => startReplica(issuer, redis.url))
      yield* connected(redis, 4)
      const token = yield* issuer.issueOpaque({ subject: "ada", email: "a@b.example", scopes: ["read", "write"] })
      const callers: Array<unknown> = []
      for (const replica of replicas) {
        callers.push(yield* replica.caller(token))
        yield* storedName(redis, "verdict")
      }
      for (const caller of callers) assert.deepStrictEqual(caller, callers[0])
      assert.strictEqual(yield* issuer.hits(introspection), 1)
      // A neighbour: another token is another question.
      assert.strictEqual(yield* (replicas[0] ?? assert.fail()).status(yield* issuer.issueOpaque()), 200)
      assert.strictEqual(yield* issuer.hits(introspection), 2)
    }))

  it.effect("REPL-01 MUST ask the provider once about a token that all replicas get at the same time", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const replicas = yield* Effect.forEach(several, () => startReplica(issuer, redis.url))
      yield* connected(redis, 4)
      const token = yield* issuer.issueOpaque()
      yield* issuer.misbehave(introspection, Misbehaviour.Respond({ delay: "50 millis" }))
      const statuses = yield* Effect.forEach(replicas, ({ status }) => status(token), { concurrency: "unbounded" })
      assert.deepStrictEqual(statuses, [200, 200, 200, 200])
      assert.strictEqual(yield* issuer.hits(introspection), 1)
    }))

  it.effect("REPL-01 MUST NOT wait for long for a replica that has the claim and is gone", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const [one, other] = yield* Effect.forEach([1, 2], () => startReplica(issuer, redis.url))
      yield* connected(redis, 2)
      const token = yield* issuer.issueOpaque()
      yield* issuer.misbehave(introspection, Misbehaviour.Hang(), 1)
      // The first one hangs at the provider, with the claim.
      yield* Effect.forkChild((one ?? assert.fail()).status(token))
      yield* issuer.awaitHits(introspection, 1)
      assert.strictEqual(yield* (other ?? assert.fail()).status(token), 200)
      assert.strictEqual(yield* issuer.hits(introspection), 2)
    }))

  it.effect("REPL-01 MUST share a rejection, and no failure of the provider", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const replicas = yield* Effect.forEach([1, 2], () => startReplica(issuer, redis.url))
      yield* connected(redis, 2)
      for (const { status } of replicas) {
        assert.strictEqual(yield* status("invented"), 401)
        yield* storedName(redis, "verdict")
      }
      assert.strictEqual(yield* issuer.hits(introspection), 1)
      const token = yield* issuer.issueOpaque()
      yield* issuer.misbehave(introspection, Misbehaviour.Respond({ status: 500 }), 1)
      const [one, other] = replicas
      assert.strictEqual(yield* (one ?? assert.fail()).status(token), 500)
      assert.strictEqual(yield* (other ?? assert.fail()).status(token), 200)
    }))

  it.effect("REPL-07 MUST NOT ask the store about a token whose verdict is in memory, nor about JWTs", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const proxy = yield* makeFaultyProxy(redis.port)
      const { status } = yield* startReplica(issuer, `redis://127.0.0.1:${proxy.port}`)
      yield* connected(redis, 1)
      const [opaque, jwt] = [yield* issuer.issueOpaque(), yield* issuer.sign()]
      assert.deepStrictEqual([yield* status(opaque), yield* status(jwt)], [200, 200])
      yield* storedName(redis, "verdict")
      yield* storedName(redis, "jwks")
      const before = proxy.asked()
      for (let count = 0; count < 5; count++) {
        assert.deepStrictEqual([yield* status(opaque), yield* status(jwt)], [200, 200])
      }
      assert.strictEqual(yield* status(yield* issuer.sign({ claims: { sub: "another" } })), 200)
      assert.isAtMost(proxy.asked() - before, 1, "only a ping may have come in between")
      // A positive control.
      assert.strictEqual(yield* status(yield* issuer.issueOpaque()), 200)
      assert.isAtLeast(proxy.asked() - before, 2)
    }))

  it.effect("REPL-06 MUST fetch keys once for replicas that start together", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      yield* issuer.misbehave(new URL(issuer.jwksUri).pathname, Misbehaviour.Respond({ delay: "100 millis" }))
      const token = yield* issuer.sign()
      const replicas = yield* Effect.forEach(several, () => startReplica(issuer, redis.url), {
        concurrency: "unbounded"
      })
      const statuses = yield* Effect.forEach(replicas, ({ status }) => status(token), { concurrency: "unbounded" })
      assert.deepStrictEqual(statuses, [200, 200, 200, 200])
      assert.strictEqual(yield* issuer.hits(new URL(issuer.jwksUri).pathname), 1)
      // A later replica needs no fetch either, and verifies as strictly.
      const late = yield* startReplica(issuer, redis.url)
      assert.strictEqual(yield* late.status(token), 200)
      assert.strictEqual(yield* late.status(`${token.slice(0, -8)}AAAAAAAA`), 401)
      assert.strictEqual(yield* issuer.hits(new URL(issuer.jwksUri).pathname), 1)
    }))

  it.effect("REPL-06 MUST accept a key at once that was published after the keys were stored", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const replicas = yield* Effect.forEach([1, 2], () => startReplica(issuer, redis.url))
      for (const { status } of replicas) assert.strictEqual(yield* status(yield* issuer.sign()), 200)
      yield* issuer.rotate()
      for (const { status } of replicas) assert.strictEqual(yield* status(yield* issuer.sign()), 200)
    }))

  it.effect("REPL-04 MUST show the store no token, no caller, and nothing of a provider", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const { status } = yield* startReplica(issuer, redis.url)
      yield* connected(redis, 1)
      const token = yield* issuer.issueOpaque({ subject: "ada-lovelace", email: "ada@example.com" })
      assert.strictEqual(yield* status(token), 200)
      assert.strictEqual(yield* status(yield* issuer.sign()), 200)
      yield* storedName(redis, "verdict")
      yield* storedName(redis, "jwks")
      const names = yield* namesIn(redis)
      const values = yield* Effect.forEach(names, (name) => redis.command("GET", name))
      for (const text of [...names, ...values]) {
        for (const secret of [token, "ada-lovelace", "ada@example", issuer.issuer, "127.0.0.1", "kty"]) {
          assert.notInclude(text, secret)
          assert.notInclude(Buffer.from(text, "base64url").toString("latin1"), secret)
        }
      }
      for (const name of names) {
        const life = Number(/^:(-?\d+)/.exec(yield* redis.command("PTTL", name))?.[1])
        assert.isAbove(life, 0, name)
        assert.isAtMost(life, 300_000, name)
      }
    }))

  it.effect("REPL-01 MUST reject a revoked token in all replicas when the shared verdict ends", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const [one, other] = yield* Effect.forEach([1, 2], () => startReplica(issuer, redis.url))
      yield* connected(redis, 2)
      const token = yield* issuer.issueOpaque({ expiresIn: "4 seconds" })
      assert.strictEqual(yield* (one ?? assert.fail()).status(token), 200)
      const name = yield* storedName(redis, "verdict")
      const sealed = yield* redis.command("GET", name)
      yield* issuer.revoke(token)
      // The same as in the memory of the first replica.
      assert.strictEqual(yield* (other ?? assert.fail()).status(token), 200)
      yield* eventually(Effect.map((one ?? assert.fail()).status(token), (status) => status === 401))
      // Restoring the entry does not prolong it.
      yield* redis.command("SET", name, sealed.split("\r\n")[1] ?? assert.fail())
      assert.strictEqual(yield* (other ?? assert.fail()).status(token), 401)
      const third = yield* startReplica(issuer, redis.url)
      assert.strictEqual(yield* third.status(token), 401)
    }))

  it.effect("REPL-08 MUST NOT share anything without a session key, nor verdicts if the operator does not want it", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const issuer = yield* makeIssuer
      const token = yield* issuer.issueOpaque()
      for (const overrides of [{ sessionKeys: [] }, { storeVerdicts: false }]) {
        const replicas = yield* Effect.forEach([1, 2], () => startReplica(issuer, redis.url, overrides))
        const before = yield* issuer.hits(introspection)
        for (const { status } of replicas) assert.strictEqual(yield* status(token), 200)
        assert.strictEqual(yield* issuer.hits(introspection), before + 2)
      }
      assert.isFalse((yield* namesIn(redis)).some((name) => name.includes(":verdict:")))
    }))
})
