/** JSON objects whose members are strings. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Mistake } from "../InvalidConfiguration.ts"
import { parseJson } from "../sources/jsonText.ts"
import { type Checked, type Kind, makeKind } from "./kind.ts"

export type StringMap = Readonly<Record<string, string>>

interface StringMapOptions<A> {
  /** How to write such a map, for messages. */
  readonly form: string
  /** Members with surrounding white space removed, in their order; never empty. */
  readonly parse: (members: ReadonlyArray<readonly [name: string, value: string]>) => Checked<A>
  readonly show: (value: A) => StringMap
}

const isRecord = (value: unknown): value is StringMap =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A map from strings to strings: an object in JSON, and the text of one in a variable. */
export const stringMap = <A>({ form, parse, show }: StringMapOptions<A>): Kind<A, StringMap> => {
  const noObject = (): Mistake => ({ problem: "is not a JSON object", fix: form })
  const read = (input: StringMap): Checked<A> => {
    const members = Object.entries(input).filter(([, value]) => value !== undefined)
    if (members.length === 0) return Result.fail([{ problem: "has no members", fix: "Leave it out, or name one" }])
    return members.every(([, value]) => typeof value === "string")
      ? parse(members.map(([name, value]) => [name.trim(), value.trim()]))
      : Result.fail([{ problem: "has a member that is not a string", fix: form }])
  }
  return makeKind<A, StringMap>({
    label: "JSON",
    input: Schema.declare(isRecord),
    file: Schema.Record(Schema.String, Schema.NonEmptyString),
    mistyped: noObject,
    fromJson: read,
    fromText: (text) =>
      Result.flatMap(parseJson(text), (value) => isRecord(value) ? read(value) : Result.fail([noObject()])),
    show
  })
}
