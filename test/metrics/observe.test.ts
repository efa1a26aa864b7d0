import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import { readPoints } from "../../src/metrics/MetricPoint.ts"
import { observeGauge } from "../../src/metrics/observe.ts"

const registry = Context.make(Metric.MetricRegistry, new Map())

const values = () => readPoints(registry).map(({ value }) => value)

const observe = (value: number) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    yield* Effect.provideService(
      observeGauge("mcp_authorizer.key.age", { provider: "idp", source: "https://idp.example.com" }, () => value),
      Scope.Scope,
      scope
    )
    return { close: Scope.close(scope, Exit.void) }
  })

describe("an observed series", () => {
  it.effect("RELOAD-05 is that of the latest configuration, and of the one before if that is given up", () =>
    Effect.gen(function*() {
      const { close: closeFirst } = yield* observe(1)
      const { close: closeSecond } = yield* observe(2)
      assert.deepStrictEqual(values(), [2])
      yield* closeSecond
      assert.deepStrictEqual(values(), [1])
      const { close: closeThird } = yield* observe(3)
      yield* closeFirst
      assert.deepStrictEqual(values(), [3])
      yield* closeThird
      assert.deepStrictEqual(values(), [])
    }).pipe(Effect.provideContext(registry)))
})
