import * as Result from "effect/Result"
import {
  CredentialTooLarge,
  InvalidRequest,
  InvalidToken,
  MissingCredential,
  UnsupportedCredential
} from "../errors/GatewayError.ts"
import * as BearerToken from "./BearerToken.ts"
import { characterMistake, emptyWord, schemeMistake } from "./mistakes.ts"
import { hasTokenParameter } from "./tokenInQuery.ts"

/** What a request may hold of credentials. */
export interface Credentials {
  /** The `Authorization` field lines, one value each, or one joined value where the platform joins them. */
  readonly authorization: ReadonlyArray<string>
  /** The query of the request target, without its `?`. */
  readonly query: string
}

export type CredentialError =
  | MissingCredential
  | UnsupportedCredential
  | InvalidRequest
  | InvalidToken
  | CredentialTooLarge

// RFC 9110, section 11.2
const token68 = /^[A-Za-z0-9\-._~+/]+=*$/
// A platform that joins repeated fields leaves `Bearer a, Bearer b`.
const joined = /,\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+\s/

const isOws = (character: string | undefined): boolean => character === " " || character === "\t"

/** Drops optional white space (RFC 9110, section 5.6.3), which is less than what `trim` takes for white space. */
const trimOws = (value: string): string => {
  let start = 0
  let end = value.length
  while (isOws(value[start])) start++
  while (end > start && isOws(value[end - 1])) end--
  return value.slice(start, end)
}

/** What stands before the first space, and after all of them (RFC 9110, section 11.4). */
const splitScheme = (value: string): { readonly scheme: string; readonly rest: string } => {
  const space = value.indexOf(" ")
  if (space === -1) return { scheme: value, rest: "" }
  let start = space
  while (value[start] === " ") start++
  return { scheme: value.slice(0, space), rest: value.slice(start) }
}

/**
 * Finds the one bearer token of a request, or says why there is none; its characters are not looked at.
 *
 * For those who look it up before they judge it: what has been let in before has been judged before. Others take
 * `parseAuthorization`.
 *
 * Only the `Authorization` field counts: a token in the query is refused, one in a body or a cookie is never looked
 * at. The scheme's case does not matter and any number of spaces may follow it. Nothing of the token is decoded.
 * `maxTokenBytes` bounds its length.
 *
 * @see RFC 6750, sections 2.1 and 3.1
 */
export const findBearer = (
  { authorization, query }: Credentials,
  maxTokenBytes: number
): Result.Result<string, CredentialError> => {
  if (hasTokenParameter(query)) {
    return Result.fail(
      new InvalidRequest({ reason: "CredentialInQuery", detail: "access_token in the query string" })
    )
  }
  const [value, second] = authorization
  if (value === undefined) return Result.fail(new MissingCredential())
  if (second !== undefined) {
    return Result.fail(
      new InvalidRequest({
        reason: "RepeatedCredential",
        detail: `${authorization.length} Authorization fields`
      })
    )
  }
  const { rest, scheme } = splitScheme(trimOws(value))
  if (scheme.toLowerCase() !== "bearer") {
    return Result.fail(new UnsupportedCredential({ detail: schemeMistake(scheme, rest) }))
  }
  if (rest === "") return Result.fail(new UnsupportedCredential({ detail: "no token after the scheme" }))
  return rest.length > maxTokenBytes
    ? Result.fail(new CredentialTooLarge({ limit: maxTokenBytes, size: rest.length }))
    : Result.succeed(rest)
}

const malformed = (detail: string): Result.Result<never, InvalidToken> =>
  Result.fail(new InvalidToken({ reason: "MalformedToken", provider: undefined, detail }))

/** Makes a token of what `findBearer` has found, if its characters are those of one. */
export const bearerToken = (text: string): Result.Result<BearerToken.BearerToken, InvalidRequest | InvalidToken> => {
  if (token68.test(text)) {
    const word = emptyWord(text)
    return word === undefined ? Result.succeed(BearerToken.make(text)) : malformed(word)
  }
  return joined.test(text)
    ? Result.fail(
      new InvalidRequest({ reason: "RepeatedCredential", detail: "several credentials in one Authorization field" })
    )
    : malformed(characterMistake(text))
}

/** Finds the one bearer token of a request, or says why there is none. */
export const parseAuthorization = (
  credentials: Credentials,
  maxTokenBytes: number
): Result.Result<BearerToken.BearerToken, CredentialError> =>
  Result.flatMap(findBearer(credentials, maxTokenBytes), bearerToken)
