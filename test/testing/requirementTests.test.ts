import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { fail } from "../../src/testing/assert.ts"
import { requirement } from "../../src/testing/Requirement.ts"
import { checkRequirements, requirementTests } from "../../src/testing/requirementTests.ts"

/** A service that keeps what it is given, for as long as it lives. */
class Numbers extends Context.Service<Numbers, Array<number>>()(
  "mcp-authorizer/test/testing/requirementTests.test/Numbers"
) {}

const name = (id: string) => ({ id, title: `MUST do ${id}`, source: "RFC 0000" })

const suiteOf = (numbers: Array<number>) => ({
  subject: Layer.succeed(Numbers, numbers),
  requirements: [
    requirement(
      name("N-1"),
      { number: Schema.Int },
      ({ number }) => Numbers.useSync((numbers) => void numbers.push(number))
    ),
    requirement(
      name("N-2"),
      { number: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })) },
      ({ number }) =>
        Numbers.useSync((numbers) => {
          numbers.push(number)
          if (number > 20) fail(`${number} is too much`)
        })
    ),
    requirement(name("N-3"), {}, () => TestClock.adjust("1 day"))
  ]
})

const failureOf = (results: ReadonlyArray<{ readonly id: string; readonly failure: string | undefined }>, id: string) =>
  results.find((result) => result.id === id)?.failure ?? ""

const valuesOf = async (seed: string) => {
  const seen: Array<number> = []
  const { requirements, subject } = suiteOf(seen)
  await checkRequirements(subject, requirements, { seed, skip: ["N-2", "N-3"] })
  return seen
}

describe("requirements without a test runner", () => {
  it("reports which are met, and for the others the smallest failing value and how to replay it", async () => {
    const { requirements, subject } = suiteOf([])
    const results = await checkRequirements(subject, requirements)
    assert.deepStrictEqual(results.map(({ failure, id }) => [id, failure === undefined]), [
      ["N-1", true],
      ["N-2", false],
      ["N-3", true]
    ])
    assert.match(failureOf(results, "N-2"), /"number":21[^]*21 is too much[^]*Replay: ./)
  })

  it("replays a failure, and nothing else, with the text of its report", async () => {
    const { requirements, subject } = suiteOf([])
    const replay = /Replay: (.+)/.exec(failureOf(await checkRequirements(subject, requirements), "N-2"))?.[1] ?? ""
    const seen: Array<number> = []
    const again = await checkRequirements(Layer.succeed(Numbers, seen), requirements, { replay: { "N-2": replay } })
    assert.deepStrictEqual(again.map(({ id }) => id), ["N-2"])
    assert.match(failureOf(again, "N-2"), /21 is too much/)
    assert.isTrue(seen.every((number) => number > 20))
  })

  it("generates the same values from the same seed, and others from another", async () => {
    const first = await valuesOf("a")
    assert.lengthOf(first, 25)
    assert.deepStrictEqual(await valuesOf("a"), first)
    assert.notDeepEqual(await valuesOf("b"), first)
  })

  it("checks as many values as it is told to, and leaves out what it is told to", async () => {
    const seen: Array<number> = []
    const { requirements, subject } = suiteOf(seen)
    const results = await checkRequirements(subject, requirements, { runs: 3, skip: ["N-2"] })
    assert.deepStrictEqual(results.map(({ id }) => id), ["N-1", "N-3"])
    assert.lengthOf(seen, 3)
  })

  it("fails when it is to leave out or to replay what the suite does not have", () => {
    const { requirements, subject } = suiteOf([])
    assert.throws(() => requirementTests(subject, requirements, { skip: ["N-9"] }), /no requirement N-9/)
    assert.throws(() => requirementTests(subject, requirements, { replay: { "N-8": "x" } }), /no requirement N-8/)
  })

  it("names each test by the id, the demand and the source, and rejects where the requirement is not met", async () => {
    const { requirements, subject } = suiteOf([])
    const [first, second] = requirementTests(subject, requirements)
    assert.strictEqual(first?.name, "N-1 MUST do N-1 (RFC 0000)")
    await first?.run()
    const rejection = await second?.run().then(() => undefined, (error: unknown) => error)
    assert.match(String(rejection), /is too much/)
  })

  it("reports a layer that cannot be built as a failure of every requirement", async () => {
    const { requirements } = suiteOf([])
    const broken = Layer.effect(Numbers, Effect.die(new Error("no database")))
    const results = await checkRequirements(broken, requirements)
    assert.lengthOf(results.filter(({ failure }) => failure?.includes("no database")), 3)
  })
})
