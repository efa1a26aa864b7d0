import * as Result from "effect/Result"
import { type Checked, integer, type Kind, refuse } from "./kinds.ts"

const count = integer(1, 1024)

const orAuto = (checked: Checked<number>): Checked<number> =>
  Result.isSuccess(checked)
    ? checked
    : refuse("is neither a whole number from 1 to 1024 nor `auto`", "Write digits only, or auto")

/** A number of processes, or `auto`. */
export const workers: Kind<number | "auto", number | "auto"> = {
  label: "`auto`, or 1–1024",
  schema: { anyOf: [count.schema, { type: "string", enum: ["auto"] }] },
  fromText: (text) => text.trim().toLowerCase() === "auto" ? Result.succeed("auto") : orAuto(count.fromText(text)),
  fromJson: (value) => value === "auto" ? Result.succeed(value) : orAuto(count.fromJson(value))
}
