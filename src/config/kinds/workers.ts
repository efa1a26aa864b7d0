import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Mistake } from "../InvalidConfiguration.ts"
import { type Kind, makeKind } from "./kind.ts"
import { wholeNumbers } from "./kinds.ts"

const count = wholeNumbers(1, 1024)

const neither: Mistake = {
  problem: "is neither a whole number from 1 to 1024 nor `auto`",
  fix: "Write digits only, or auto"
}

/** A number of processes, or `auto`. */
export const workers: Kind<number | "auto", number | "auto"> = makeKind<number | "auto", number | "auto">({
  label: "`auto`, or 1–1024",
  input: Schema.Union([count.input, Schema.Literal("auto")]),
  // Digits in quotes deserve the plain word.
  mistyped: (value) => typeof value === "string" && /^[0-9]+$/.test(value) ? count.mistyped(value) : neither,
  fromJson: Result.succeed,
  fromText: (text) =>
    text.trim().toLowerCase() === "auto"
      ? Result.succeed("auto")
      : Result.mapError(count.fromText(text), () => [neither]),
  show: (value) => value
})
