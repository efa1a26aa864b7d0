import { assert, describe, it } from "@effect/vitest"
import { clients, type Finding } from "../../src/doctor/Finding.ts"
import { coloured, plain, render } from "../../src/doctor/render.ts"
import { makeReport, type StepResult, verdictOf } from "../../src/doctor/Report.ts"

const finding = (code: string, over: Partial<Finding> = {}): Finding => ({
  code,
  level: "error",
  title: `Title of ${code}`,
  why: "It matters.",
  clients,
  specification: "RFC 0, section 1.",
  fix: `Fix of ${code}.`,
  found: "what was found, in words that are long enough to be wrapped in a terminal that is not wide",
  ...over
})

const step = (id: string, findings: ReadonlyArray<Finding> = []): StepResult => ({
  id,
  title: `Step ${id}`,
  verdict: verdictOf(findings),
  seen: "seen",
  findings
})

const report = (...steps: ReadonlyArray<StepResult>) =>
  makeReport({ url: "https://mcp.example/mcp", steps, requests: 1, millis: 1, isComplete: true })

const text = (...steps: ReadonlyArray<StepResult>): string => render(report(...steps), { style: plain, width: 80 })

describe("the report for people", () => {
  it("begins with the first error on the way, regardless of what comes before and after it", () => {
    const shown = text(
      step("a", [finding("careful", { level: "warning" })]),
      step("b", [finding("first")]),
      step("c", [finding("second")])
    )
    const lines = shown.split("\n").filter((line) => line !== "")
    assert.include(lines[1], "✗ Title of first. (step 2: Step b)")
    assert.match(shown, /✗ Step b +seen\n +\^ clients stop here\n/)
    assert.include(shown, "and 1 more error, below")
  })

  it("lists errors before warnings, and notes in short", () => {
    const shown = text(
      step("a", [finding("careful", { level: "warning" }), finding("remark", { level: "note" })]),
      step("b", [finding("broken")])
    )
    assert.isBelow(shown.indexOf("ERROR Title of broken"), shown.indexOf("WARNING Title of careful"))
    assert.isAbove(shown.indexOf("i Title of remark: what"), shown.indexOf("WARNING"))
    assert.notInclude(shown, "Fix of remark")
  })

  it("names the warnings that affect most clients first, if there are no errors", () => {
    const shown = text(
      step("a", [finding("few", { level: "warning", clients: ["Inspector"] })]),
      step("b", [finding("many", { level: "warning" })])
    )
    assert.match(shown, /! Clients can connect, with warnings:\n +Title of many\n +Title of few\n/)
  })

  it("says at which step each client fails, and which do not", () => {
    const shown = text(step("a", [finding("browsers", { clients: ["Inspector"] })]), step("b"))
    assert.match(shown, /✗ Inspector +fails at: Step a\n/)
    assert.match(shown, /✓ Claude +nothing found that stops it\n/)
  })

  it("claims of no client that it stops where only the server is in danger", () => {
    const shown = text(step("a", [finding("unsafe", { clients: [] })]))
    assert.include(shown, "^ first error")
    assert.notInclude(shown, "clients stop here")
  })

  it("keeps to the width of the terminal, apart from words that are longer", () => {
    const shown = text(
      step("a", [finding("one", { at: "GET https://mcp.example/mcp" }), finding("two", { level: "warning" })])
    )
    const body = shown.split("\n").filter((line) => !/ERROR|WARNING|step 1/.test(line))
    assert.isAtMost(Math.max(...body.map((line) => line.length)), 80)
  })

  it("is the same with colours and without, apart from them", () => {
    const one = report(step("a", [finding("one"), finding("two", { level: "warning" })]), step("b"))
    const inColour = render(one, { style: coloured, width: 80 })
    assert.include(inColour, "\u001b[31m")
    // eslint-disable-next-line no-control-regex -- the colours themselves
    assert.strictEqual(inColour.replaceAll(/\u001b\[\d+m/g, ""), render(one, { style: plain, width: 80 }))
  })
})
