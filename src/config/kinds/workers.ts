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
  fromJson: (value) => {
    if (value === "auto") return Result.succeed(value)
    // The only string there is; digits in quotes deserve the plain word.
    return typeof value === "string" && /^[0-9]+$/.test(value) ? count.fromJson(value) : orAuto(count.fromJson(value))
  }
}
