/**
 * Static tokens: `token:client:subject:scope,scope[:expiry]`, several separated by `;`, or a JSON array.
 *
 * Mistakes name entries by number, never by content.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { StaticToken } from "../GatewaySettings.ts"
import type { Mistake } from "../InvalidConfiguration.ts"
import { parseJson } from "../sources/jsonText.ts"
import { type Checked, fromJson, fromText, invalid, type Kind, makeKind } from "./kind.ts"
import { hidden, integer, membersOf, scopes as scopeList, secret, text as line } from "./kinds.ts"
import { leftoverOfSecret } from "./leftovers.ts"

/** One static token as TypeScript and JSON write it. */
export interface StaticTokenInput {
  readonly token: string | Redacted.Redacted<string>
  readonly client_id: string
  readonly subject: string
  readonly scopes?: string | ReadonlyArray<string> | undefined
  /** Seconds since 1970. */
  readonly expires_at?: number | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
}

const members: ReadonlySet<string> = new Set([
  "token",
  "client_id",
  "subject",
  "scopes",
  "expires_at",
  "email",
  "name"
])

const form = "Write token:client:subject:scope,scope[:expiry], several separated by semicolons, or a JSON array of " +
  "{token, client_id, subject, scopes, expires_at, email, name}"

// Until the year 5138: a larger number must be milliseconds.
const latestExpiry = 99_999_999_999
const expiry = integer(0, latestExpiry)
const token68 = /^[A-Za-z0-9\-._~+/]+=*$/
const absent: ReadonlySet<string> = new Set(["undefined", "null"])

/** The checks of every token, in every notation. */
const check = (token: StaticToken): Checked<StaticToken> => {
  const value = Redacted.value(token.token)
  if (!token68.test(value)) {
    return invalid(
      "has a token with characters that no bearer token can have",
      "Use letters, digits, -, ., _, ~, + and /"
    )
  }
  return absent.has(value)
    ? invalid("has the word undefined or null for a token", "Check the variable that it was to come from")
    : Result.succeed(token)
}

const noScopes: ReadonlyArray<string> = []

const parseLine = (text: string): Checked<StaticToken> => {
  const [token, clientId, subject, ...rest] = text.split(":").map((field) => field.trim())
  if (!token || !clientId || !subject || rest.length === 0) return invalid("has an empty or missing field", form)
  const last = rest.at(-1) ?? ""
  const expires = /^[0-9]+$/.test(last)
  // A mistyped expiry must not be read as a scope, because the token would then never expire.
  if (!expires && rest.length > 1 && /^(?:$|[-+0-9])/.test(last)) {
    return invalid(
      "ends in a field in the place of an expiry that is not a time",
      "Write the expiry as seconds since 1970; a scope that begins with a digit after a colon needs the JSON form"
    )
  }
  const granted = (expires ? rest.slice(0, -1) : rest).join(":")
  return Result.flatMap(
    Result.all({
      scopes: granted.replace(/[\s,]/g, "") === "" ? Result.succeed(noScopes) : fromText(scopeList, granted),
      expiresAt: expires ? fromText(expiry, last) : Result.succeed(undefined)
    }),
    (parsed) => check({ token: Redacted.make(token), clientId, subject, ...parsed, email: undefined, name: undefined })
  )
}

const parseMember = (value: unknown): Checked<StaticToken> => {
  const found = membersOf(value, members, form)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const given = found.success
  const optional = <A>(name: string, kind: Kind<A>): Checked<A | undefined> =>
    given.has(name) ? fromJson(kind, given.get(name)) : Result.succeed(undefined)
  const granted = given.get("scopes")
  return Result.flatMap(
    Result.mapError(
      Result.all({
        token: fromJson(secret, given.get("token")),
        clientId: fromJson(line, given.get("client_id")),
        subject: fromJson(line, given.get("subject")),
        scopes: granted === undefined || granted === "" || (Array.isArray(granted) && granted.length === 0)
          ? Result.succeed(noScopes)
          : fromJson(scopeList, granted),
        expiresAt: optional("expires_at", expiry),
        email: optional("email", line),
        name: optional("name", line)
      }),
      () => [{ problem: "has a missing, empty or mistyped member", fix: form }]
    ),
    check
  )
}

const collect = (parsed: ReadonlyArray<Checked<StaticToken>>): Checked<ReadonlyArray<StaticToken>> => {
  if (parsed.length === 0) return invalid("holds no token", form)
  const tokens: Array<StaticToken> = []
  const mistakes: Array<Mistake> = []
  const seen = new Map<string, number>()
  for (const [index, result] of parsed.entries()) {
    if (Result.isFailure(result)) {
      for (const { fix, problem } of result.failure) {
        mistakes.push({ problem: `entry ${index + 1} ${problem}`, fix })
      }
      continue
    }
    const value = Redacted.value(result.success.token)
    const first = seen.get(value)
    if (first === undefined) {
      seen.set(value, index + 1)
      tokens.push(result.success)
    } else {
      mistakes.push({
        problem: `entry ${index + 1} has the same token as entry ${first}`,
        fix: "Give each entry a token of its own"
      })
    }
  }
  return mistakes.length === 0 ? Result.succeed(tokens) : Result.fail(mistakes)
}

const parse = (text: string): Checked<ReadonlyArray<StaticToken>> => {
  const left = leftoverOfSecret(text.trim())
  if (left !== undefined) return Result.fail([left])
  if (/^\s*[[{]/.test(text)) {
    return Result.flatMap(
      parseJson(text),
      (parsed) => Array.isArray(parsed) ? collect(parsed.map(parseMember)) : invalid("is not a JSON array", form)
    )
  }
  // Files have a line for each.
  return collect(text.split(/[;\r\n]/).filter((part) => part.trim() !== "").map(parseLine))
}

type Input = string | Redacted.Redacted<string> | ReadonlyArray<StaticTokenInput>

// Entries are checked one by one, so that a problem can name its entry by number.
const isInput = (value: unknown): value is Input =>
  typeof value === "string" || Redacted.isRedacted(value) || Array.isArray(value)

const Entry = Schema.Struct({
  token: Schema.NonEmptyString,
  client_id: Schema.NonEmptyString,
  subject: Schema.NonEmptyString,
  scopes: Schema.optionalKey(Schema.Union([Schema.String, Schema.Array(Schema.String)])),
  expires_at: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: latestExpiry })).annotate({
      description: "Seconds since 1970."
    })
  ),
  email: Schema.optionalKey(Schema.String),
  name: Schema.optionalKey(Schema.String)
})

/** Never empty, all tokens different. */
export const staticTokens: Kind<ReadonlyArray<StaticToken>, Input> = makeKind<ReadonlyArray<StaticToken>, Input>({
  label: "token list",
  input: Schema.declare(isInput),
  file: Schema.Union([Schema.NonEmptyString, Schema.Array(Entry).check(Schema.isMinLength(1))]),
  mistyped: () => ({ problem: "is neither a string nor an array", fix: form }),
  fromJson: (value) => {
    if (typeof value === "string") return parse(value)
    return Redacted.isRedacted(value) ? parse(Redacted.value(value)) : collect(value.map(parseMember))
  },
  fromText: parse,
  show: (tokens) =>
    tokens.map(({ clientId, email, expiresAt, name, scopes, subject }) => ({
      token: hidden,
      client_id: clientId,
      subject,
      scopes,
      expires_at: expiresAt,
      email,
      name
    }))
})
