/** Which scopes include which: a JSON object from a scope to the scopes that it includes. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { cycleIn, ScopeHierarchy } from "../../rules/ScopeHierarchy.ts"
import type { Mistake } from "../InvalidConfiguration.ts"
import { parseJson } from "../sources/jsonText.ts"
import { type Checked, fromJson, type Kind, makeKind } from "./kind.ts"
import { isScope, scopes } from "./kinds.ts"

type Input = Readonly<Record<string, string | ReadonlyArray<string>>>

const form = "Write {\"admin\": [\"write\"], \"write\": [\"read\"]}: for each scope the scopes that it includes"

const noObject = (): Mistake => ({ problem: "is not a JSON object", fix: form })

const isRecord = (value: unknown): value is Input =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// Text with a digit is not repeated in mistakes: it may be a secret in the wrong setting.
const shownScope = (scope: string): string => /^[A-Za-z_.:/-]{1,64}$/.test(scope) ? scope : "(not shown)"

const read = (input: Input): Checked<ScopeHierarchy> => {
  const mistakes: Array<Mistake> = []
  const implies: Record<string, ReadonlyArray<string>> = {}
  const given = Object.entries(input).filter(([, included]) => included !== undefined)
  if (given.length === 0) return Result.fail([{ problem: "names no scope", fix: "Leave it out, or name one" }])
  for (const [index, [scope, included]] of given.entries()) {
    if (!isScope(scope)) {
      mistakes.push({ problem: `member ${index + 1} is not the name of a scope`, fix: form })
      continue
    }
    const list = fromJson(scopes, included)
    if (Result.isSuccess(list)) implies[scope] = list.success
    else {mistakes.push(
        ...list.failure.map(({ fix, problem }) => ({
          problem: `the scopes of ${shownScope(scope)}: ${problem}`,
          fix
        }))
      )}
  }
  const cycle = cycleIn(implies)
  if (cycle !== undefined) {
    mistakes.push({
      problem: `goes in a circle: ${[...cycle, cycle[0] ?? ""].map(shownScope).join(" includes ")}`,
      fix: "Remove one of these: scopes that include each other would all be as strong as the strongest"
    })
  }
  return mistakes.length === 0 ? Result.succeed(new ScopeHierarchy(implies)) : Result.fail(mistakes)
}

export const scopeImplies: Kind<ScopeHierarchy, Input> = makeKind<ScopeHierarchy, Input>({
  label: "JSON",
  input: Schema.declare(isRecord),
  file: Schema.Record(Schema.String, Schema.Union([Schema.NonEmptyString, Schema.Array(Schema.NonEmptyString)])),
  mistyped: noObject,
  fromJson: read,
  fromText: (text) =>
    Result.flatMap(parseJson(text), (value) => isRecord(value) ? read(value) : Result.fail([noObject()])),
  show: ({ implies }) => implies
})
