/** Settings that hold other settings. Their members are looked at one by one, elsewhere. */
import * as Result from "effect/Result"
import { type Checked, type Kind, refuse } from "./kinds.ts"

/** Says whether a value is an object in the sense of JSON. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// The parser's own message would repeat a piece of the text.
const parse = (text: string): Checked<unknown> =>
  Result.mapError(
    Result.try((): unknown => JSON.parse(text)),
    () => [{ problem: "is not valid JSON", cure: "Check quotes, commas and how the shell passes them on" }]
  )

const array = (value: unknown): Checked<ReadonlyArray<unknown>> =>
  Array.isArray(value)
    ? Result.succeed(value)
    : refuse("is not an array", "Write [{\"type\": …, \"issuer\": …}], one object for each provider")

/** The entries of `MCP_PROVIDERS`. */
export const entries: Kind<ReadonlyArray<unknown>, ReadonlyArray<Readonly<Record<string, unknown>>>> = {
  label: "JSON",
  schema: { type: "array" },
  fromText: (text) => Result.flatMap(parse(text), array),
  fromJson: array
}

const object = (value: unknown): Checked<Readonly<Record<string, unknown>>> =>
  isObject(value) ? Result.succeed(value) : refuse("is not a JSON object", "Write {\"providers\": […]}")

/** A JSON object. */
export const json: Kind<Readonly<Record<string, unknown>>> = {
  label: "JSON",
  schema: { type: "object" },
  fromText: (text) => Result.flatMap(parse(text), object),
  fromJson: object
}
