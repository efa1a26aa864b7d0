/** Settings that hold other settings. Their members are checked separately, elsewhere. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Mistake } from "../InvalidConfiguration.ts"
import { type Checked, type Kind, makeKind } from "../kinds/kind.ts"
import { parseJson } from "./jsonText.ts"

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

type Entries = ReadonlyArray<Readonly<Record<string, unknown>>>

const isEntries = (value: unknown): value is Entries => Array.isArray(value)

/** @param fix how to fix a value that is not an array */
const entriesOf = (fix: string): Kind<ReadonlyArray<unknown>, Entries> => {
  const noArray = (): Mistake => ({ problem: "is not an array", fix })
  return makeKind<ReadonlyArray<unknown>, Entries>({
    label: "JSON",
    input: Schema.declare(isEntries),
    file: Schema.Array(Schema.Unknown),
    mistyped: noArray,
    fromJson: Result.succeed,
    fromText: (text) =>
      Result.flatMap(
        parseJson(text),
        (value) => Array.isArray(value) ? Result.succeed(value) : Result.fail([noArray()])
      ),
    show: () => []
  })
}

/** The entries of `MCP_PROVIDERS`. */
export const entries = entriesOf("Write [{\"type\": …, \"issuer\": …}], one object for each provider")

/** The entries of `MCP_SERVERS`. */
export const serverEntries = entriesOf("Write [{\"name\": …, \"path\": …, \"url\": …}], one object for each MCP server")

type JsonObject = Readonly<Record<string, unknown>>

const noObject = (): Mistake => ({ problem: "is not a JSON object", fix: "Write {\"providers\": […]}" })

export const json: Kind<JsonObject, JsonObject> = makeKind<JsonObject, JsonObject>({
  label: "JSON",
  input: Schema.Record(Schema.String, Schema.Unknown),
  mistyped: noObject,
  fromJson: Result.succeed,
  fromText: (text) =>
    Result.flatMap(
      parseJson(text),
      (value): Checked<JsonObject> => isObject(value) ? Result.succeed(value) : Result.fail([noObject()])
    ),
  show: (value) => value
})
