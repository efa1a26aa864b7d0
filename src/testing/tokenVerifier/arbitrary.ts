/** The generated values of the requirements. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { either, oneOf, textOf } from "../arbitrary.ts"

export { either, oneOf, textOf }

/** An integer, both bounds included. */
export const int = (minimum: number, maximum: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/** A duration in seconds beyond a limit. Small ones are as likely as large ones. */
export const beyond = (minimum: number): Arbitrary.Arbitrary<number> =>
  either(int(minimum, minimum + 3), int(minimum, 1_000_000_000))

/** Characters of a token (RFC 6750, section 2.1), including the dot. */
export const tokenCharacters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/"]

const pieces = [
  ..."abcXYZ019-_.|@:/+",
  "e\u0301",
  "é",
  "é",
  "山田",
  "🜁",
  "שלום",
  " ",
  "\"",
  "\\",
  "\r\n",
  "\u202e",
  "__proto__"
]

/** Text that identity providers permit in names: any script, blanks, control characters. */
export const text: Arbitrary.Arbitrary<string> = textOf(pieces, { minLength: 1, maxLength: 12 })

/**
 * Subjects, as long as OpenID Connect Core 1.0, section 2, lets them be: databases hold all of them. Two long ones differ at
 * their ends.
 */
export const subject: Arbitrary.Arbitrary<string> = either(
  text,
  text,
  Arbitrary.map(
    Arbitrary.all([oneOf(["tenant/", "0123456789"]), text, int(1, 255)]),
    ([prefix, end, length]) => prefix.repeat(30).slice(0, Math.max(0, length - end.length)) + end
  )
)

/** Scopes: words without blanks (RFC 6749, section 3.3), all different. */
export const scopes: Arbitrary.Arbitrary<ReadonlyArray<string>> = Arbitrary.map(
  Arbitrary.array(
    textOf(["mcp:", "read", "write", "admin", "istrator", "/", ".", "*", "A", "%20", ","], {
      minLength: 1,
      maxLength: 4
    }),
    { maxLength: 5 }
  ),
  (words) => [...new Set(words)]
)

/** Names of claims that mean nothing to a gateway, although some have a meaning in JavaScript. */
const claimNames = oneOf([
  "roles",
  "tenant",
  "https://acme.example/claims",
  "constructor",
  "__proto__",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "",
  "山田",
  "exp ",
  "Sub",
  "ISS"
])

/** Further claims with any JSON value, as members in order. */
export const furtherClaims: Arbitrary.Arbitrary<ReadonlyArray<readonly [name: string, json: string]>> = Arbitrary.map(
  Arbitrary.array(Arbitrary.all({ name: claimNames, value: Arbitrary.schema(Schema.Json) }), { maxLength: 6 }),
  (claims) => [...new Map(claims.map(({ name, value }) => [name, JSON.stringify(value)]))]
)

/** An order for up to 16 things. */
export const order: Arbitrary.Arbitrary<ReadonlyArray<number>> = Arbitrary.array(int(0, 1_000), {
  minLength: 16,
  maxLength: 16
})

/** Returns the same things in another order. */
export const inOrder = <A>(things: ReadonlyArray<A>, ranks: ReadonlyArray<number>): ReadonlyArray<A> =>
  things
    .map((thing, index) => ({ thing, rank: ranks[index % ranks.length] ?? 0 }))
    .toSorted((left, right) => left.rank - right.rank)
    .map(({ thing }) => thing)

// No change below adds or removes only a trailing slash: some issuers write it, and verifiers may tolerate it.

/** Changes that turn an identifier (an issuer, an audience) into another one that resembles it. */
export const resembling: ReadonlyArray<(right: string) => string> = [
  (right) => right.toUpperCase(),
  (right) => right.replace(/[a-z]/, (letter) => letter.toUpperCase()),
  // CYRILLIC SMALL LETTER IE
  (right) => right.replace(/e/, "\u0435"),
  (right) => right.startsWith("https:") ? right.replace("https:", "http:") : right.replace("http:", "https:"),
  (right) => encodeURIComponent(right),
  (right) => `${right} ${right}`,
  () => "https://evil.example",
  () => "*",
  () => ".*",
  () => ""
]

/** The same, generated: something removed or added at either end. */
export const nearMiss: Arbitrary.Arbitrary<(right: string) => string> = either<(right: string) => string>(
  Arbitrary.map(int(2, 20), (length) => (right: string) => right.slice(0, -length)),
  Arbitrary.map(int(1, 10), (length) => (right: string) => right.slice(length)),
  Arbitrary.map(
    oneOf(["x", ".evil.example", "/x", "//", "%2F", "#", "?a=b", " ", "\u0000", "\n", ",", ":443", "@evil.example"]),
    (suffix) => (right: string) => right + suffix
  ),
  Arbitrary.map(
    oneOf(["x", " ", "\ufeff", "https://evil.example/?", "https://evil.example/", "https://evil.example#"]),
    (prefix) => (right: string) => prefix + right
  )
)
