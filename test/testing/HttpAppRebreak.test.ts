import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { HttpApp } from "../../src/http/HttpApp.ts"
import * as HttpAppTest from "../../src/testing/HttpAppTest.ts"
import { violations } from "../support/violations.ts"
import { admissionDefects } from "./httpApp/admissionDefects.ts"
import { type App, type Defect, json, receiving, sendingOther, verifying } from "./httpApp/defects.ts"
import { forwardingDefects } from "./httpApp/forwardingDefects.ts"
import { responseDefects } from "./httpApp/responseDefects.ts"
import { sharingDefects } from "./httpApp/sharingDefects.ts"

/** Those of the requirements that have one of these ids. */
const withIds = (ids: ReadonlyArray<string>) => HttpAppTest.requirements.filter(({ id }) => ids.includes(id))

/** A way of injecting defects, and the defects that are injected this way. */
const harmless: ReadonlyArray<readonly [name: string, defects: ReadonlyArray<Defect>, app: App]> = [
  ["has its responses serialized again", responseDefects, json((text) => text)],
  ["has its requests changed into themselves", admissionDefects, receiving((request) => request)],
  ["hears from its verifier through another one", admissionDefects, verifying((verify) => verify)],
  ["sends the same request by another way", forwardingDefects, sendingOther(() => ({}))]
]

describe("HttpAppTest finds nothing in a gateway that", () => {
  it.effect("has no defect", () =>
    Effect.gen(function*() {
      // Some values each: the suite itself is run on the gateway elsewhere.
      const brief = HttpAppTest.requirements.map((each) =>
        Object.assign({}, each, { runs: Math.min(each.runs ?? 10, 10) })
      )
      assert.deepStrictEqual(yield* violations(brief), [])
    }).pipe(Effect.provide(HttpAppTest.subject(HttpApp.layer))), { timeout: 120_000 })

  it.effect.each(harmless)("%s", ([, defects, app]) =>
    Effect.gen(function*() {
      const meant = withIds(defects.flatMap(([, ids]) => ids))
      assert.deepStrictEqual(yield* violations(meant), [])
    }).pipe(Effect.provide(HttpAppTest.subject(app))), { timeout: 120_000 })
})

describe("HttpAppTest finds a gateway that", () => {
  it.effect.each([...responseDefects, ...admissionDefects, ...forwardingDefects, ...sharingDefects])(
    "%s",
    ([, ids, app]) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* violations(withIds(ids)), ids)
      }).pipe(Effect.provide(HttpAppTest.subject(app))),
    { timeout: 60_000 }
  )
})
