import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { requirements, subject } from "../../src/testing/GatewayClientTest.ts"
import { violations } from "../support/violations.ts"
import { brokenGatewayClients, unbroken } from "./brokenGatewayClients.ts"

const only = (ids: ReadonlyArray<string>) => requirements.filter(({ id }) => ids.includes(id))

describe("the suite of GatewayClient notices a client that", () => {
  for (const [title, { client, violates }] of Object.entries(brokenGatewayClients)) {
    it.live(title, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* violations(only(violates)), violates)
      }).pipe(Effect.provide(subject(client))), 60_000)
  }

  const meant = only(Object.values(brokenGatewayClients).flatMap(({ violates }) => violates))
  // One value each: the suite itself is run on good clients elsewhere.
  const brief = meant.map((each) => Object.assign({}, each, { runs: 1 }))
  for (const [index, client] of unbroken.entries()) {
    it.live(`positive control ${index}: is not broken`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* violations(brief), [])
      }).pipe(Effect.provide(subject(client))), 60_000)
  }
})
