/** Kinds of times: a whole number of a unit, or a `Duration` in TypeScript code. */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Checked, type Kind, makeKind } from "./kind.ts"
import { wholeNumbers } from "./kinds.ts"

/**
 * @param millis the unit of the number, in milliseconds
 * @param factor what the number is multiplied by before it is used
 */
const time = (millis: number, factor: number) => {
  const used = (count: number): Checked<number> => Result.succeed(count * factor)
  return (minimum: number, maximum: number): Kind<number, number | Duration.Duration> => {
    const forms = wholeNumbers(minimum, maximum)
    const read = (text: string) => Result.flatMap(forms.fromText(text), used)
    return makeKind<number, number | Duration.Duration>({
      ...forms,
      input: Schema.Union([forms.input, Schema.Duration]),
      file: forms.input,
      fromJson: (value) => typeof value === "number" ? used(value) : read(String(Duration.toMillis(value) / millis)),
      fromText: read,
      show: (value) => value / factor
    })
  }
}

/** A time in whole seconds, used in milliseconds. */
export const seconds = time(1000, 1000)

/** A time in whole seconds, used in seconds. */
export const plainSeconds = time(1000, 1)

/** A time in whole milliseconds, used in milliseconds. */
export const millis = time(1, 1)
