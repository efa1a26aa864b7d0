/** A step that is added to the course is taken by every driver, or the driver does not compile. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { HeadStep, Next } from "../../src/http/course/steps.ts"

/** A driver that does not know the steps of the facade. */
const forgetsFacade = (next: Next<string>): string => {
  switch (next._tag) {
    case "Respond":
    case "ReadBody":
    case "Ready":
    case "Verify":
    case "OpenSession":
    case "CountMessages":
    case "AuthorizeUpstream":
    case "Document":
    case "Readiness":
      return next._tag
    default:
      // @ts-expect-error -- `Facade` is left out, as a step would be that is added
      return next satisfies never
  }
}

/** A driver that does not know what follows from a head that has to be inspected. */
const forgetsInspect = (step: HeadStep): string => {
  switch (step._tag) {
    case "Respond":
    case "Resend":
    case "SealSession":
    case "Notify":
    case "Relay":
      return step._tag
    default:
      // @ts-expect-error -- `Inspect` is left out
      return step satisfies never
  }
}

/** The switches of the drivers over the steps, by the name of the variable. */
const drivers: ReadonlyArray<readonly [file: string, variable: "next" | "step"]> = [
  ["http/drive.ts", "next"],
  ["http/forward.ts", "step"],
  ["node/endpoint/NodeExchange.ts", "next"],
  ["node/endpoint/ResponseRelay.ts", "step"],
  ["spin/directResponse.ts", "next"]
]

const sourceOf = (file: string) => readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8")

describe("a driver of the course", () => {
  it("does not compile if it leaves a step out", () => {
    assert.isFunction(forgetsFacade)
    assert.isFunction(forgetsInspect)
  })

  it.each(drivers)("has one switch over the steps, which is exhaustive: %s", (file, variable) => {
    const source = sourceOf(file)
    assert.lengthOf(source.match(new RegExp(`switch \\(${variable}\\._tag\\)`, "g")) ?? [], 1)
    assert.include(source, `return ${variable} satisfies never`)
  })

  it.each(["http/HttpApp.ts", "embed/Guard.ts"])("is shared by those that run effects: %s", (file) => {
    const source = sourceOf(file)
    assert.match(source, /\bdrive\(perform, /)
    assert.notMatch(source, /switch \((?:next|step)\._tag\)/)
  })

  // Which response an error gets, which fields leave and how long a response may take is said once, in the course.
  it.each([...new Set(drivers.map(([file]) => file)), "http/HttpApp.ts", "http/relay.ts"])(
    "has no rules: %s",
    (file) => {
      const code = sourceOf(file).replace(/\/\*[^]*?\*\/|\/\/.*/g, "")
      assert.notMatch(code, /\bstatus\s*(?:===|!==|[<>]=?|:)\s*\d|"(?:mcp(?!-authorizer)|x|www|access-control)-/)
    }
  )
})
