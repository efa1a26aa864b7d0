/** Settings that hold other settings. Their members are looked at one by one, elsewhere. */
import * as Result from "effect/Result"
import { type Checked, type Kind, refuse } from "../kinds/kinds.ts"
import { parseJson } from "./jsonText.ts"

/** Says whether a value is an object in the sense of JSON. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const array = (value: unknown): Checked<ReadonlyArray<unknown>> =>
  Array.isArray(value)
    ? Result.succeed(value)
    : refuse("is not an array", "Write [{\"type\": …, \"issuer\": …}], one object for each provider")

/** The entries of `MCP_PROVIDERS`. */
export const entries: Kind<ReadonlyArray<unknown>, ReadonlyArray<Readonly<Record<string, unknown>>>> = {
  label: "JSON",
  schema: { type: "array" },
  fromText: (text) => Result.flatMap(parseJson(text), array),
  fromJson: array
}

const object = (value: unknown): Checked<Readonly<Record<string, unknown>>> =>
  isObject(value) ? Result.succeed(value) : refuse("is not a JSON object", "Write {\"providers\": […]}")

/** A JSON object. */
export const json: Kind<Readonly<Record<string, unknown>>> = {
  label: "JSON",
  schema: { type: "object" },
  fromText: (text) => Result.flatMap(parseJson(text), object),
  fromJson: object
}
