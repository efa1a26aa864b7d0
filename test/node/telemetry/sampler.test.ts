import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { sampled } from "../../../src/node/telemetry/sampler.ts"

const span = (tracer: Tracer.Tracer, parent?: Tracer.AnySpan) =>
  tracer.span({
    name: "a",
    parent: Option.fromNullishOr(parent),
    annotations: Context.empty(),
    links: [],
    startTime: 0n,
    kind: "server",
    root: parent === undefined,
    sampled: parent?.sampled ?? true
  })

const tracerOf = (isParentBased: boolean, ratio: number) => sampled(Tracer.nativeTracer, { isParentBased, ratio })

const remote = (isSampled: boolean, traceId = "4bf92f3577b34da6a3ce929d0e0e4736") =>
  Tracer.externalSpan({ traceId, spanId: "00f067aa0ba902b7", sampled: isSampled })

/** How many of 4,000 traces are recorded. */
const chosen = (ratio: number) =>
  Array.from({ length: 4_000 }, () => span(tracerOf(true, ratio))).filter(({ sampled }) => sampled).length

describe("a sampler", () => {
  it("decides about traces without a decision, by their share", () => {
    assert.strictEqual(chosen(1), 4_000)
    assert.strictEqual(chosen(0), 0)
    // Nine standard deviations.
    assert.approximately(chosen(0.25), 1_000, 250)
  })

  it("leaves the decision to the caller if it is based on the parent, and only then", () => {
    assert.isTrue(span(tracerOf(true, 0), remote(true)).sampled)
    assert.isFalse(span(tracerOf(true, 1), remote(false)).sampled)
    assert.isFalse(span(tracerOf(false, 0), remote(true)).sampled)
    assert.isTrue(span(tracerOf(false, 1), remote(false)).sampled)
  })

  it("says the same of one trace everywhere, and chooses more with a greater share", () => {
    const low = remote(true, "0".repeat(31).concat("1"))
    const high = remote(false, "f".repeat(32))
    assert.isFalse(span(tracerOf(false, 0.5), low).sampled)
    assert.isTrue(span(tracerOf(false, 0.5), high).sampled)
    assert.isTrue(span(tracerOf(false, 1e-6), high).sampled)
  })

  it("keeps the ids of a trace that is not recorded, and records nothing below it", () => {
    const tracer = tracerOf(true, 0)
    const root = span(tracer)
    assert.match(root.traceId, /^[0-9a-f]{32}$/)
    const child = span(tracer, root)
    assert.deepStrictEqual([child.traceId, child.sampled], [root.traceId, false])
    const recorded = tracerOf(true, 1)
    const parent = span(recorded)
    assert.deepStrictEqual([span(recorded, parent).traceId, span(recorded, parent).sampled], [parent.traceId, true])
  })
})
