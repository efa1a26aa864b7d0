import * as Result from "effect/Result"
import { stringValue } from "./json/scalarValue.ts"
import type { JsonScanner, JsonToken } from "./json/scanJson.ts"
import { type FieldText, foldParam, repeatsArgument } from "./mirrors.ts"

const NONE = -1

/** A field that repeats an argument, and the matching arguments found so far. */
interface Repetition {
  readonly field: FieldText
  isNamed: boolean
  agrees: boolean
}

const decoder = new TextDecoder()

/**
 * Compares the `Mcp-Param-*` fields of a call with its arguments.
 *
 * Only the tool's schema, which is unknown here, states which argument a field repeats, at any depth of objects. So a
 * field is compared with every argument of its name, and must agree with one of them. A field without such an argument
 * is ignored.
 */
export class ParamMirror {
  private readonly scanner: JsonScanner
  private readonly repetitions: ReadonlyMap<string, Repetition>
  /** The depth of the array around the current value. Fields repeat nothing inside arrays. */
  private array = NONE
  private current: Repetition | undefined = undefined

  constructor(scanner: JsonScanner, fields: ReadonlyMap<string, FieldText>) {
    this.scanner = scanner
    this.repetitions = new Map(
      Array.from(fields, ([name, field]) => [name, { field, isNamed: false, agrees: false }])
    )
  }

  /** The problem of a field, for the log. */
  get wrong(): string | undefined {
    for (const { agrees, field, isNamed } of this.repetitions.values()) {
      if (isNamed && !agrees) return Result.isFailure(field) ? field.failure : "not the argument of its name"
    }
    return undefined
  }

  /** Takes the name of a member of the arguments, at any depth. */
  name(): void {
    const { bytes, depth, long } = this.scanner
    if (depth <= this.array) this.array = NONE
    this.current = this.array === NONE && !long
      ? this.repetitions.get(foldParam(stringValue(bytes, this.scanner)))
      : undefined
  }

  /** Takes the name of a member that is cut: its value does not count as an argument. */
  cutName(): void {
    this.current = undefined
  }

  /** Takes the beginning of a value in the arguments. */
  value(token: JsonToken): void {
    const { current, scanner } = this
    this.current = undefined
    if (token === "OpenArray" && this.array === NONE) this.array = scanner.depth
    if (current === undefined) return
    const argument = this.argument(token)
    if (argument === undefined) return
    current.isNamed = true
    const { field } = current
    current.agrees ||= Result.isSuccess(field) && field.success !== undefined && argument !== null &&
      repeatsArgument(field.success, argument)
  }

  /**
   * Returns the scalar that was just read: `null` for a text that is too long, `undefined` for a value that fields
   * cannot repeat.
   */
  private argument(token: JsonToken): string | number | boolean | null | undefined {
    const { bytes, end, long, start } = this.scanner
    switch (token) {
      case "String":
        return long ? null : stringValue(bytes, this.scanner)
      case "Number":
        return long ? null : Number(decoder.decode(bytes.subarray(start, end)))
      case "Literal":
        return bytes[start] === 0x6e ? undefined : bytes[start] === 0x74
      default:
        return undefined
    }
  }
}
