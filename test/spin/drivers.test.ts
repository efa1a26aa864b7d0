/** The component takes the course as the Node service does, on its direct path and through the layers. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { deniedBodies, exchangeFields, exchangeWith, rulesOfExchanges } from "../fixtures/exchanges.ts"
import { withoutDifferences } from "../support/differences.ts"
import type { Variables } from "./support/BothGateways.ts"
import { componentDifferences } from "./support/componentDifferences.ts"
import { ComponentHost } from "./support/ComponentHost.ts"
import { behaviourNames, exchangesAtBoth, forgottenBehaviours } from "./support/exchangesAtBoth.ts"

const Exchange = Schema.Struct({
  ...exchangeFields,
  upstream: Schema.Literals([...forgottenBehaviours]),
  signed: Schema.Boolean
})

type Running = Effect.Success<ReturnType<typeof exchangesAtBoth>>

class Both extends Context.Service<Both, Running>()("mcp-authorizer/test/spin/Both") {
  static readonly layerWith = (more: Variables) =>
    Layer.effect(Both, Effect.orDie(exchangesAtBoth(more))).pipe(Layer.provide(ComponentHost.layer))
}

const ruled: Variables = {
  mcp_rules: JSON.stringify(rulesOfExchanges.rules),
  mcp_default_rule: rulesOfExchanges.default_rule
}

const variants: ReadonlyArray<readonly [name: string, more: Variables]> = [["without rules", {}], ["with rules", ruled]]

for (const [name, more] of variants) {
  layer(Both.layerWith(more), { excludeTestServices: true, timeout: "3 minutes" })(
    `component and Node service, ${name}`,
    (it) => {
      // The first probes of each: a warning is not repeated.
      for (const { example, reason, where } of componentDifferences) {
        if (example === undefined) continue
        it.effect(`differ in ${where}: ${reason}`, () =>
          Effect.gen(function*() {
            const { component, service } = yield* Both
            const exchange = { ...exchangeWith(example), signed: false }
            assert.notDeepEqual(yield* component(exchange), yield* service(exchange))
          }))
      }

      it.effect.prop(
        "send the same upstream, respond alike and log alike, for every exchange",
        [Exchange],
        ([exchange]) =>
          Effect.gen(function*() {
            const { component, service } = yield* Both
            const expected = yield* service(exchange)
            if (more === ruled && deniedBodies.has(exchange.body)) assert.deepStrictEqual(expected.sent, [])
            const [seen, wanted] = withoutDifferences(
              componentDifferences,
              exchange,
              yield* component(exchange),
              expected
            )
            assert.deepStrictEqual(seen, wanted)
          }),
        { timeout: 240_000, arbitrary: { runs: 80 } }
      )

      // The last one, because of what the Node service remembers.
      it.effect("send the same upstream, respond alike and log alike, for every behaviour of the MCP server", () =>
        Effect.gen(function*() {
          const { component, service } = yield* Both
          for (const upstream of behaviourNames) {
            for (const body of ["ping", "initialize"] as const) {
              const exchange = { ...exchangeWith({ body, upstream }), signed: body === "ping" }
              const expected = yield* service(exchange)
              assert.isNotEmpty(expected.sent, upstream)
              const compared = withoutDifferences(componentDifferences, exchange, yield* component(exchange), expected)
              assert.deepStrictEqual(...compared, `${body}: ${upstream}`)
            }
          }
        }))
    }
  )
}
