/** JSON-RPC messages as text, with and without what a client must not send. */
import * as Arbitrary from "effect/Arbitrary"
import { either, oneOf } from "../arbitrary.ts"

/** A text in two versions: as the client sends it, and without any `_authContext`. */
export interface JsonText {
  readonly forged: string
  readonly clean: string
}

// Spellings that some parsers treat as `_authContext`: escapes, other case.
const spellings = ["_authContext", "_auth\\u0043ontext", "\\u005fauthContext", "_authcontext", "_AUTHCONTEXT"]

// Lexemes that parsing and writing again would change.
const scalar = oneOf([
  "9007199254740993",
  "1e400",
  "-0",
  "1.10",
  "\"\\u00e9\"",
  "\"\\ud83d\"",
  "\"a\\/b\"",
  "\"\u5c71\"",
  "\"_authContext\"",
  "null",
  "true"
])

/** A forged member: its name, its value, and how many members precede it; `undefined`: no forgery. */
const forgery = either<{ readonly member: string; readonly at: number } | undefined>(
  Arbitrary.Constant(undefined),
  Arbitrary.map(
    Arbitrary.all([oneOf(spellings), oneOf(["null", "{\"authenticated_user\":\"root\"}", "[{}]"]), oneOf([0, 1, 9])]),
    ([name, value, at]) => ({ member: `"${name}":${value}`, at })
  )
)

const arrayText = (items: ReadonlyArray<JsonText>): JsonText => ({
  forged: `[${items.map(({ forged }) => forged).join(",")}]`,
  clean: `[${items.map(({ clean }) => clean).join(",")}]`
})

const objectText = (
  members: ReadonlyArray<JsonText>,
  forged: { readonly member: string; readonly at: number } | undefined
): JsonText => {
  const sent = members.map(({ forged }) => forged)
  if (forged !== undefined) sent.splice(forged.at, 0, forged.member)
  return { forged: `{${sent.join(",")}}`, clean: `{${members.map(({ clean }) => clean).join(",")}}` }
}

const member = (name: string, { clean, forged }: JsonText, colon = ":"): JsonText => ({
  forged: `"${name}"${colon}${forged}`,
  clean: `"${name}"${colon}${clean}`
})

const objectOf = (value: Arbitrary.Arbitrary<JsonText>): Arbitrary.Arbitrary<JsonText> =>
  Arbitrary.map(
    Arbitrary.all([Arbitrary.array(value, { maxLength: 3 }), forgery]),
    // With insignificant white space, which must be kept.
    ([values, forged]) =>
      objectText(values.map((value, index) => member(`m${index} `, value, index === 1 ? " :\t" : ":")), forged)
  )

const valueOf = (depth: number): Arbitrary.Arbitrary<JsonText> => {
  const leaf = Arbitrary.map(scalar, (text) => ({ forged: text, clean: text }))
  if (depth === 0) return leaf
  const inner = valueOf(depth - 1)
  return either(leaf, Arbitrary.map(Arbitrary.array(inner, { maxLength: 3 }), arrayText), objectOf(inner))
}

const fixed = (name: string, text: string): JsonText => member(name, { forged: text, clean: text })

/** A message with this method. Its `params` is an object, or absent. */
export const messageText = (method: string): Arbitrary.Arbitrary<JsonText> =>
  Arbitrary.map(
    Arbitrary.all([oneOf(["1", "9007199254740993", "\"id\""]), oneOf([true, false]), objectOf(valueOf(2)), forgery]),
    ([id, hasParams, params, forged]) =>
      objectText([
        fixed("jsonrpc", "\"2.0\""),
        fixed("id", id),
        fixed("method", JSON.stringify(method)),
        ...(hasParams ? [member("params", params)] : [])
      ], forged)
  )

/** A message of a kind that is forwarded unchanged, or a batch of them. */
export const ordinaryText: Arbitrary.Arbitrary<JsonText> = either(
  messageText("tools/call"),
  Arbitrary.map(Arbitrary.array(messageText("ping"), { minLength: 1, maxLength: 3 }), arrayText)
)
