/** The kinds of values that several settings have. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { nearestName, showMember } from "../../errors/nearestName.ts"
import type { Mistake } from "../InvalidConfiguration.ts"
import { type Checked, invalid, type Kind, makeKind } from "./kind.ts"
import {
  hasTemplate,
  isJsonArray,
  leftover,
  leftoverOfSecret,
  placeholderAlone,
  unfilledTemplate
} from "./leftovers.ts"

const controlCharacter = /\p{Cc}/u

type FindLeftover = (text: string) => Mistake | undefined

const plain: FindLeftover = (text) => leftover(text) ?? (hasTemplate(text) ? unfilledTemplate : undefined)

const empty: Mistake = { problem: "is empty", fix: "Leave it out to get the default" }
const control: Mistake = {
  problem: "contains a line break or another control character",
  fix: "Check how the value is quoted"
}

const noString = (value: unknown): Mistake =>
  typeof value === "string" ? empty : { problem: "is not a string", fix: "Write it in quotes" }

/** Reads one line, without surrounding white space. */
const line = <A>(parse: (text: string) => Checked<A>, find: FindLeftover) => (text: string): Checked<A> => {
  const trimmed = text.trim()
  if (trimmed === "") return Result.fail([empty])
  if (controlCharacter.test(trimmed)) return Result.fail([control])
  const left = find(trimmed)
  return left === undefined ? parse(trimmed) : Result.fail([left])
}

const asItIs = <A>(value: A): A => value

/**
 * A line of text that `parse` checks.
 *
 * @param find returns the mistake about leftovers in the text
 */
export const string = (
  label: string,
  parse: (text: string) => Checked<string>,
  find: FindLeftover = plain
): Kind<string, string> => {
  const read = line(parse, find)
  return makeKind({
    label,
    input: Schema.NonEmptyString,
    mistyped: noString,
    fromJson: read,
    fromText: read,
    show: asItIs
  })
}

export const text: Kind<string, string> = string("text", Result.succeed)

/** An issuer. The provider's type decides whether it must be a URL. */
export const issuer: Kind<string, string> = string("text", Result.succeed, leftover)

export const RedactedText: Schema.Codec<Redacted.Redacted<string>, Redacted.Redacted<string>> = Schema.Redacted(
  Schema.String
)

/** Shown in place of a secret. */
export const hidden = "(hidden)"

const redacted = (text: string): Checked<Redacted.Redacted<string>> => Result.succeed(Redacted.make(text))

/** A secret text that `parse` accepts. */
export const secretOf = (
  parse: (text: string) => Checked<Redacted.Redacted<string>>
): Kind<Redacted.Redacted<string>, string | Redacted.Redacted<string>> => {
  // Quotation marks inside a JSON string are part of the value, so they are not reported.
  const exact = line(parse, placeholderAlone)
  return makeKind({
    label: "text",
    input: Schema.Union([Schema.NonEmptyString, RedactedText]),
    file: Schema.NonEmptyString,
    mistyped: noString,
    fromJson: (value) => exact(Redacted.isRedacted(value) ? Redacted.value(value) : value),
    fromText: line(parse, leftoverOfSecret),
    show: () => hidden
  })
}

/** A secret text with any visible characters. */
export const secret: Kind<Redacted.Redacted<string>, string | Redacted.Redacted<string>> = secretOf(redacted)

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

const readBoolean = (text: string): Checked<boolean> => {
  const value = words.get(text.trim().toLowerCase())
  return value === undefined ? invalid("is not a boolean", "Write true or false") : Result.succeed(value)
}

const noBoolean = (): Mistake => ({ problem: "is not a boolean", fix: "Write true or false, without quotes" })

/** `true`, `yes`, `on`, `1` and their opposites, in any case; in JSON only `true` and `false`. */
export const boolean: Kind<boolean, boolean> = makeKind({
  label: "boolean",
  input: Schema.Boolean,
  mistyped: noBoolean,
  fromJson: Result.succeed,
  fromText: readBoolean,
  show: asItIs
})

/** `auto`, or a boolean. */
export const autoOrBoolean: Kind<"auto" | boolean, "auto" | boolean> = makeKind<"auto" | boolean, "auto" | boolean>({
  label: "auto, or boolean",
  input: Schema.Union([Schema.Boolean, Schema.Literal("auto")]),
  mistyped: noBoolean,
  fromJson: Result.succeed,
  fromText: (text) => text.trim().toLowerCase() === "auto" ? Result.succeed("auto") : readBoolean(text),
  show: asItIs
})

/** The numbers that a setting may have, and the message about other values. */
export const wholeNumbers = (minimum: number, maximum: number) => {
  const outside: Mistake = {
    problem: `is not a whole number from ${minimum} to ${maximum}`,
    fix: "Write digits only, without unit, sign or separator"
  }
  return {
    label: `${minimum}–${maximum}`,
    input: Schema.Int.check(Schema.isBetween({ minimum, maximum })),
    mistyped: (value: unknown): Mistake =>
      typeof value === "string" && /^\s*[0-9]+\s*$/.test(value)
        ? { problem: "is a string where a number is expected", fix: "Write the digits without quotes" }
        : outside,
    fromText: (text: string): Checked<number> => {
      const value = /^[0-9]{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN
      return value >= minimum && value <= maximum ? Result.succeed(value) : Result.fail([outside])
    }
  }
}

/** A whole number within bounds, in decimal digits. */
export const integer = (minimum: number, maximum: number): Kind<number, number> =>
  makeKind({ ...wholeNumbers(minimum, maximum), fromJson: Result.succeed, show: asItIs })

/** One of a few words; in variables in any case. */
export const choice = <const Words extends ReadonlyArray<string>>(
  words: Words
): Kind<Words[number], Words[number]> => {
  const unknown: Mistake = { problem: "is not one of the known words", fix: `Write one of ${words.join(", ")}` }
  return makeKind<Words[number], Words[number]>({
    label: words.join(", "),
    input: Schema.Literals(words),
    mistyped: () => unknown,
    fromJson: Result.succeed,
    fromText: (text) => {
      const written = text.trim().toLowerCase()
      const word: Words[number] | undefined = words.find((word) => word === written)
      return word === undefined ? Result.fail([unknown]) : Result.succeed(word)
    },
    show: asItIs
  })
}

interface ListOptions<A> {
  readonly label: string
  readonly separator: RegExp
  readonly parse: (members: ReadonlyArray<string>) => Checked<A>
  /** Rejects ambiguous texts. An array is never ambiguous. */
  readonly checkText?: FindLeftover
  /** Leftovers that a member must not contain. */
  readonly find?: FindLeftover
}

const isStrings = (value: unknown): boolean =>
  typeof value === "string" || (Array.isArray(value) && value.every((member) => typeof member === "string"))

const noMembers: Mistake = { problem: "is a list without members", fix: "Leave it out to get the default" }

/**
 * Several strings: an array in JSON, or one text with separators; blanks and repetitions are dropped.
 *
 * An empty list is rejected, because it could mean that nothing is allowed or that nothing is checked.
 */
export const listForms = <A>(
  { checkText = () => undefined, find = plain, label, parse, separator }: ListOptions<A>
) => {
  const check = (members: ReadonlyArray<string>): Checked<A> => {
    const kept = new Set(members.map((member) => member.trim()).filter((member) => member !== ""))
    if (kept.size === 0) return Result.fail([noMembers])
    for (const member of kept) {
      if (controlCharacter.test(member)) return Result.fail([control])
      const left = find(member)
      if (left !== undefined) return Result.fail([left])
    }
    return parse([...kept])
  }
  const fromText = (text: string): Checked<A> => {
    if (isJsonArray(text.trim())) {
      return invalid(
        "is a JSON array in a text",
        "Write the members without brackets and quotation marks, separated by commas; only the config file takes arrays"
      )
    }
    const left = find(text.trim()) ?? checkText(text.trim())
    return left === undefined ? check(text.split(separator)) : Result.fail([left])
  }
  return {
    label,
    input: Schema.Union([
      Schema.NonEmptyString,
      Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))
    ]),
    mistyped: (value: unknown): Mistake =>
      isStrings(value) ? noMembers : { problem: "is not a list of strings", fix: "Write an array of strings" },
    fromText,
    fromJson: (value: string | ReadonlyArray<string>): Checked<A> =>
      typeof value === "string" ? fromText(value) : check(value)
  }
}

/** A list of strings that are not changed. */
export const list = (
  label: string,
  separator: RegExp,
  parse: (members: ReadonlyArray<string>) => Checked<ReadonlyArray<string>>,
  checkText?: FindLeftover
): Kind<ReadonlyArray<string>, string | ReadonlyArray<string>> =>
  makeKind({ ...listForms({ label, separator, parse, ...(checkText && { checkText }) }), show: asItIs })

const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Returns whether a word can be a scope (RFC 6749, section 3.3). */
export const isScope = (word: string): boolean => scopeToken.test(word)

/** Scopes, separated by commas or spaces (RFC 6749, section 3.3). */
export const scopes: Kind<ReadonlyArray<string>, string | ReadonlyArray<string>> = list(
  "scope list",
  /[\s,]/,
  (members) =>
    members.every(isScope)
      ? Result.succeed(members)
      : invalid(
        "contains a scope with characters that no scope can have",
        "Use visible ASCII without space, quotation mark and backslash"
      )
)

/**
 * Reads the members of an object. Unknown members are rejected.
 *
 * @param form how to write such an object
 */
export const membersOf = (
  value: unknown,
  known: ReadonlySet<string>,
  form: string
): Checked<ReadonlyMap<string, unknown>> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return invalid("is not an object", form)
  const given = new Map<string, unknown>(Object.entries(value).filter(([, member]) => member !== undefined))
  const unknown = [...given.keys()].find((name) => !known.has(name))
  if (unknown === undefined) return Result.succeed(given)
  const meant = nearestName(unknown, known)
  return invalid(`has an unknown member ${showMember(unknown)}`, meant === undefined ? form : `Did you mean ${meant}?`)
}
