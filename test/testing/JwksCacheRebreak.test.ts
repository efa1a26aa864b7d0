import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { JwksCache } from "../../src/keys/JwksCache.ts"
import * as JwksCacheTest from "../../src/testing/JwksCacheTest.ts"
import { violations } from "../support/violations.ts"
import { cacheDefects } from "./jwksCache/cacheDefects.ts"
import { responseDefects } from "./jwksCache/responseDefects.ts"

describe("JwksCacheTest finds a cache that", () => {
  it.effect("positive control: has no defect", () => {
    // A few values each: the suite itself is run on our cache elsewhere.
    const brief = JwksCacheTest.requirements(JwksCache.layer).map((each) =>
      Object.assign({}, each, { runs: Math.min(each.runs ?? 3, 3) })
    )
    return Effect.map(violations(brief), (ids) => assert.deepStrictEqual(ids, []))
  })

  it.effect.each([...responseDefects, ...cacheDefects])("%s", ([, ids, cache]) =>
    Effect.map(
      violations(JwksCacheTest.requirements(cache).filter(({ id }) => ids.includes(id))),
      (violated) => assert.deepStrictEqual(violated, ids)
    ))
})
