/** The conformance suite for `JwksCache` layers: histories of requests, rotations, outages and store failures. */
import * as Layer from "effect/Layer"
import { availability } from "./jwksCache/availability.ts"
import type { Subject } from "./jwksCache/CacheFixture.ts"
import { fetching } from "./jwksCache/fetching.ts"
import { reaching } from "./jwksCache/reaching.ts"
import { reading } from "./jwksCache/reading.ts"
import { storing } from "./jwksCache/storing.ts"
import { trust } from "./jwksCache/trust.ts"
import type { Requirement } from "./Requirement.ts"
import { type CheckOptions, checkRequirements, type RequirementResult } from "./requirementTests.ts"
import { suite as register } from "./suite.ts"

/**
 * The requirements on a layer of `JwksCache`.
 *
 * Each generated history builds the layer again, with its own clock, and with a provider and a store in memory that fail,
 * lie and recover. The layer gets them as `HttpClient` (which follows redirects by default, as `fetch` does),
 * `ProviderHttp`, `ProviderMetadata` and `KeyValueStore`.
 */
export const requirements = <E>(subject: Subject<E>): ReadonlyArray<Requirement<never>> => [
  ...fetching(subject),
  ...trust(subject),
  ...availability(subject),
  ...storing(subject),
  ...reading(subject),
  ...reaching(subject)
]

/**
 * Registers one test for each requirement.
 *
 * **Example** (a key cache of your own)
 *
 * ```ts
 * import { JwksCache } from "mcp-authorizer"
 * import { JwksCacheTest } from "mcp-authorizer/testing"
 *
 * JwksCacheTest.suite("mine", JwksCache.layer)
 * ```
 */
export const suite = <E>(name: string, subject: Subject<E>, options: CheckOptions = {}): void =>
  register(`JwksCache (${name})`, Layer.empty, requirements(subject), options)

/** Checks a layer without a test runner: `suite` with the results as a value. */
export const check = <E>(
  subject: Subject<E>,
  options: CheckOptions = {}
): Promise<ReadonlyArray<RequirementResult>> => checkRequirements(Layer.empty, requirements(subject), options)
