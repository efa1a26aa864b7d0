/** The drivers of the course take it alike: the one that runs effects, the one on Node's own requests, and the guard. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { request } from "undici"
import type { HttpAppOptions } from "../../src/http/HttpApp.ts"
import * as NodeGateway from "../../src/node/NodeGateway.ts"
import { deniedBodies, exchangeFields, exchangeRules, exchangeWith } from "../fixtures/exchanges.ts"
import { withoutDifferences } from "../support/differences.ts"
import {
  behaviourNames,
  callbacks,
  type Config,
  configWith,
  type Driver,
  effects,
  guarded,
  play,
  playLogged,
  start
} from "../support/drivers.ts"
import { guardDifferences } from "../support/guardDifferences.ts"

const Exchange = Schema.Struct({ ...exchangeFields, upstream: Schema.Literals([...behaviourNames]) })

const onError: NonNullable<HttpAppOptions["onError"]> = (error, response) =>
  error._tag === "NotFound" ? { ...response, status: 410, body: { gone: true } } : response

interface Running {
  readonly effect: Driver
  readonly callback: Driver
  readonly guard: Driver
}

const all = (config: Config) =>
  Effect.orDie(Effect.all({
    effect: effects(config, { onError }),
    callback: callbacks(config, { onError }),
    guard: guarded(config, { onError })
  }))

class Drivers extends Context.Service<Drivers, Running>()("mcp-authorizer/test/http/Drivers") {
  static readonly layer = Layer.effect(Drivers, all(configWith({})))
}

/** The same with rules. */
class RuledDrivers extends Context.Service<RuledDrivers, Running>()("mcp-authorizer/test/http/RuledDrivers") {
  static readonly layer = Layer.effect(RuledDrivers, all(configWith(exchangeRules)))
}

const title = "send the same upstream, respond alike and log alike, for every exchange"

layer(RuledDrivers.layer, { excludeTestServices: true })("drivers of the course, with rules", (it) => {
  it.effect.prop(title, [Exchange], ([exchange]) =>
    Effect.gen(function*() {
      const { callback, effect, guard } = yield* RuledDrivers
      const expected = yield* playLogged(effect, exchange)
      assert.deepStrictEqual(yield* playLogged(callback, exchange), expected)
      if (deniedBodies.has(exchange.body)) assert.deepStrictEqual(expected.sent, [])
      const [seen, wanted] = withoutDifferences(
        guardDifferences.ruled,
        exchange,
        yield* play(guard, exchange),
        expected
      )
      assert.deepStrictEqual(seen, wanted)
    }), { timeout: 240_000, arbitrary: { runs: 150 } })

  for (const { example, reason, where } of guardDifferences.ruled) {
    if (example === undefined) continue
    it.effect(`differ at the guard in ${where}: ${reason}`, () =>
      Effect.gen(function*() {
        const { effect, guard } = yield* RuledDrivers
        assert.notDeepEqual(yield* play(guard, exchangeWith(example)), yield* playLogged(effect, exchangeWith(example)))
      }))
  }
})

layer(Drivers.layer, { excludeTestServices: true })("drivers of the course", (it) => {
  it.effect("send the same upstream, respond alike and log alike, for every behaviour of the MCP server", () =>
    Effect.gen(function*() {
      const { callback, effect, guard } = yield* Drivers
      for (const upstream of behaviourNames) {
        for (const body of ["ping", "initialize"] as const) {
          const exchange = exchangeWith({ body, upstream })
          const expected = yield* playLogged(effect, exchange)
          assert.isNotEmpty(expected.sent, upstream)
          assert.deepStrictEqual(yield* playLogged(callback, exchange), expected, `${body}: ${upstream}`)
          const compared = withoutDifferences(guardDifferences.plain, exchange, yield* play(guard, exchange), expected)
          assert.deepStrictEqual(...compared, `${body}: ${upstream}`)
        }
      }
    }))

  it.effect.prop(title, [Exchange], ([exchange]) =>
    Effect.gen(function*() {
      const { callback, effect, guard } = yield* Drivers
      const expected = yield* playLogged(effect, exchange)
      assert.deepStrictEqual(yield* playLogged(callback, exchange), expected)
      const [seen, wanted] = withoutDifferences(
        guardDifferences.plain,
        exchange,
        yield* play(guard, exchange),
        expected
      )
      assert.deepStrictEqual(seen, wanted)
    }), { timeout: 240_000, arbitrary: { runs: 150 } })

  for (const { example, reason, where } of guardDifferences.plain) {
    if (example === undefined) continue
    it.effect(`differ at the guard in ${where}: ${reason}`, () =>
      Effect.gen(function*() {
        const { effect, guard } = yield* Drivers
        assert.notDeepEqual(yield* play(guard, exchangeWith(example)), yield* playLogged(effect, exchangeWith(example)))
      }))
  }

  it.effect("send the fixed secret of MCP_UPSTREAM_AUTH with both requests, if the MCP server rejects additions", () =>
    Effect.gen(function*() {
      const config = configWith({
        upstreamAuth: { _tag: "Header", field: "x-key", value: Redacted.make("s3cret-of-the-server") }
      })
      for (const driver of [yield* effects(config, { onError }), yield* callbacks(config, { onError })]) {
        const { sent, status } = yield* playLogged(driver, exchangeWith({ body: "initialize", upstream: "strict" }))
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(sent.map(({ body }) => body.includes("_authContext")), [true, false])
        assert.deepStrictEqual(sent.map(({ headers }) => headers["x-key"]), [
          "s3cret-of-the-server",
          "s3cret-of-the-server"
        ])
      }
    }))

  it.effect("use the embedder's response to an error, with the fields that every response carries", () =>
    Effect.gen(function*() {
      const { callback, effect } = yield* Drivers
      for (const driver of [effect, callback]) {
        const seen = yield* playLogged(
          driver,
          exchangeWith({ method: "GET", target: "/other", credential: "none", body: "none" })
        )
        assert.strictEqual(seen.status, 410)
        assert.strictEqual(seen.body, `{"gone":true}`)
        assert.strictEqual(seen.headers["x-trace-id"], "trace-1")
        assert.strictEqual(seen.headers["access-control-allow-origin"], "*")
        assert.propertyVal(seen.log[0], "error", "NotFound")
        assert.propertyVal(seen.log[0], "status", 410)
      }
    }))

  it.effect("turn what the embedder's response to an error throws into a 500", () =>
    Effect.gen(function*() {
      const throwing = yield* start((client) =>
        NodeGateway.layerUnannounced(undefined, {
          gatewayClient: client,
          onError: () => {
            throw new Error("a defect of the embedder's")
          }
        })
      )
      const response = yield* Effect.promise(() => request(`${throwing.origin}/mcp`))
      assert.strictEqual(response.statusCode, 500)
      assert.notInclude(yield* Effect.promise(() => response.body.text()), "embedder")
    }))
})
