/**
 * Kinds of values: how one is read from text (variables) and from JSON (file, embedding), and its JSON Schema.
 *
 * Complaints never repeat the value: it may be a secret that was put into the wrong variable.
 */
import type { JsonSchema } from "effect/JsonSchema"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Complaint } from "../InvalidConfiguration.ts"
import {
  hasTemplate,
  isJsonArray,
  leftover,
  leftoverOfSecret,
  placeholderAlone,
  unfilledTemplate
} from "./leftovers.ts"

/** A usable value, or everything that is wrong with it. */
export type Checked<A> = Result.Result<A, ReadonlyArray<Complaint>>

/** A kind of value: `A` after decoding, `Input` as TypeScript code gives it. */
export interface Kind<out A, out Input = unknown> {
  /** For documentation: `boolean`, `URL`. */
  readonly label: string
  readonly schema: JsonSchema
  readonly fromText: (text: string) => Checked<A>
  readonly fromJson: (value: unknown) => Checked<A>
  /** Whether a decoded value may be used where http is allowed to these hosts only. A method, for its variance. */
  permit?(value: A, allowHttp: ReadonlyArray<string>): Checked<A>
  /** Exists in the type only. */
  readonly Input?: Input
}

/** Says no, with a reason and a cure. */
export const refuse = (problem: string, cure: string): Result.Result<never, ReadonlyArray<Complaint>> =>
  Result.fail([{ problem, cure }])

const controlCharacter = /\p{Cc}/u

type FindLeftover = (text: string) => Complaint | undefined

const plain: FindLeftover = (text) => leftover(text) ?? (hasTemplate(text) ? unfilledTemplate : undefined)

/**
 * A string that `parse` makes a value of; surrounding white space does not belong to it.
 *
 * @param find what must not have been left in it
 */
export const string = <A>(
  label: string,
  parse: (text: string) => Checked<A>,
  find: FindLeftover = plain
): Kind<A, string> => {
  const fromText = (text: string): Checked<A> => {
    const trimmed = text.trim()
    if (trimmed === "") return refuse("is empty", "Leave it out to get the default")
    if (controlCharacter.test(trimmed)) {
      return refuse("contains a line break or another control character", "Check how the value is quoted")
    }
    const left = find(trimmed)
    return left === undefined ? parse(trimmed) : Result.fail([left])
  }
  return {
    label,
    schema: { type: "string", minLength: 1 },
    fromText,
    fromJson: (value) => typeof value === "string" ? fromText(value) : refuse("is not a string", "Write it in quotes")
  }
}

/** Any one line of text. */
export const text: Kind<string, string> = string("text", Result.succeed)

/** An issuer, of which its reader says whether it must be a URL. */
export const issuer: Kind<string, string> = string("text", Result.succeed, leftover)

/** Text that may hold every visible character. */
const opaque = (find: FindLeftover) => string("text", Result.succeed, find)
const typedSecret = opaque(leftoverOfSecret)
// JSON leaves no doubt about its quotation marks.
const exactSecret = opaque(placeholderAlone)

/** Text that never shows in a log. */
export const secret: Kind<Redacted.Redacted<string>, string | Redacted.Redacted<string>> = {
  label: typedSecret.label,
  schema: typedSecret.schema,
  fromText: (text) => Result.map(typedSecret.fromText(text), Redacted.make),
  fromJson: (value) =>
    Result.map(exactSecret.fromJson(Redacted.isRedacted(value) ? Redacted.value(value) : value), Redacted.make)
}

const words: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false]
])

/** `true`, `yes`, `on`, `1` and their opposites, in any case; in JSON only `true` and `false`. */
export const boolean: Kind<boolean, boolean> = {
  label: "boolean",
  schema: { type: "boolean" },
  fromText: (text) => {
    const value = words.get(text.trim().toLowerCase())
    return value === undefined ? refuse("is not a boolean", "Write true or false") : Result.succeed(value)
  },
  fromJson: (value) =>
    typeof value === "boolean"
      ? Result.succeed(value)
      : refuse("is not a boolean", "Write true or false, without quotes")
}

/** `auto`, or a boolean in any of its words. */
export const autoOrBoolean: Kind<"auto" | boolean, "auto" | boolean> = {
  label: "auto, or boolean",
  schema: { anyOf: [{ type: "boolean" }, { type: "string", enum: ["auto"] }] },
  fromText: (text) => text.trim().toLowerCase() === "auto" ? Result.succeed("auto") : boolean.fromText(text),
  fromJson: (value) => value === "auto" ? Result.succeed("auto") : boolean.fromJson(value)
}

/** A whole number within bounds, in decimal digits. */
export const integer = (minimum: number, maximum: number): Kind<number, number> => {
  const check = (value: number): Checked<number> =>
    Number.isInteger(value) && value >= minimum && value <= maximum
      ? Result.succeed(value)
      : refuse(
        `is not a whole number from ${minimum} to ${maximum}`,
        "Write digits only, without unit, sign or separator"
      )
  return {
    label: `${minimum}–${maximum}`,
    schema: { type: "integer", minimum, maximum },
    fromText: (text) => check(/^[0-9]{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN),
    fromJson: (value) =>
      typeof value === "string" && /^\s*[0-9]+\s*$/.test(value)
        ? refuse("is a string where a number is expected", "Write the digits without quotes")
        : check(typeof value === "number" ? value : Number.NaN)
  }
}

/** One of a few words; in variables in any case. */
export const choice = <const Words extends ReadonlyArray<string>>(words: Words): Kind<Words[number], Words[number]> => {
  const find = (text: string): Checked<Words[number]> => {
    const word: Words[number] | undefined = words.find((word) => word === text)
    return word === undefined
      ? refuse("is not one of the known words", `Write one of ${words.join(", ")}`)
      : Result.succeed(word)
  }
  return {
    label: words.join(", "),
    schema: { type: "string", enum: [...words] },
    fromText: (text) => find(text.trim().toLowerCase()),
    fromJson: (value) => find(typeof value === "string" ? value : "")
  }
}

/**
 * Several strings: an array in JSON, or one text with separators; blanks and repetitions are dropped.
 *
 * A list without members is refused, because it reads as "nothing is allowed" and as "nothing is checked".
 *
 * @param checkText what only a text must not be, where an array would leave no doubt
 * @param find what must not have been left in a member
 */
export const list = <A, Member extends string = string>(
  label: string,
  separator: RegExp,
  parse: (members: ReadonlyArray<string>) => Checked<A>,
  checkText: FindLeftover = () => undefined,
  find: FindLeftover = plain
): Kind<A, string | ReadonlyArray<Member>> => {
  const check = (members: ReadonlyArray<string>): Checked<A> => {
    const kept = new Set(members.map((member) => member.trim()).filter((member) => member !== ""))
    if (kept.size === 0) return refuse("is a list without members", "Leave it out to get the default")
    for (const member of kept) {
      if (controlCharacter.test(member)) {
        return refuse("contains a line break or another control character", "Check how the value is quoted")
      }
      const left = find(member)
      if (left !== undefined) return Result.fail([left])
    }
    return parse([...kept])
  }
  const fromText = (text: string): Checked<A> => {
    if (isJsonArray(text.trim())) {
      return refuse(
        "is a JSON array in a text",
        "Write the members without brackets and quotation marks, separated by commas; only the config file takes arrays"
      )
    }
    const left = find(text.trim()) ?? checkText(text.trim())
    return left === undefined ? check(text.split(separator)) : Result.fail([left])
  }
  return {
    label,
    schema: {
      anyOf: [
        { type: "string", minLength: 1 },
        { type: "array", items: { type: "string", minLength: 1 }, minItems: 1 }
      ]
    },
    fromText,
    fromJson: (value) => {
      if (typeof value === "string") return fromText(value)
      return Array.isArray(value) && value.every((member) => typeof member === "string")
        ? check(value)
        : refuse("is not a list of strings", "Write an array of strings")
    }
  }
}

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Scopes, separated by commas or spaces (RFC 6749, section 3.3). */
export const scopes: Kind<ReadonlyArray<string>, string | ReadonlyArray<string>> = list(
  "scope list",
  /[\s,]/,
  (members) =>
    members.every((scope) => scopeToken.test(scope))
      ? Result.succeed(members)
      : refuse(
        "contains a scope with characters that no scope can have",
        "Use visible ASCII without space, quotation mark and backslash"
      )
)
