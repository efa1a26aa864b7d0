import * as Result from "effect/Result"
import {
  CredentialTooLarge,
  InvalidRequest,
  InvalidToken,
  MissingCredential,
  UnsupportedCredential
} from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import * as BearerToken from "./BearerToken.ts"
import { characterMistake, emptyWord, schemeMistake } from "./mistakes.ts"
import { hasTokenParameter } from "./tokenInQuery.ts"

/** The parts of a request that may contain credentials. */
export interface Credentials {
  /** The `Authorization` field lines, one value each, or one joined value if the platform joins them. */
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
// A platform that joins repeated fields produces `Bearer a, Bearer b`.
const joined = /,\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+\s/

const isOws = (character: string | undefined): boolean => character === " " || character === "\t"

/** Removes optional white space (RFC 9110, section 5.6.3); `trim` would remove other characters as well. */
const trimOws = (value: string): string => {
  let start = 0
  let end = value.length
  while (isOws(value[start])) start++
  while (end > start && isOws(value[end - 1])) end--
  return value.slice(start, end)
}

/** Splits a field into its scheme and its credential (RFC 9110, section 11.4). */
const splitScheme = (value: string): { readonly scheme: string; readonly rest: string } => {
  const space = value.indexOf(" ")
  if (space === -1) return { scheme: value, rest: "" }
  let start = space
  while (value[start] === " ") start++
  return { scheme: value.slice(0, space), rest: value.slice(start) }
}

/**
 * Finds the one bearer token of a request, without checking its characters.
 *
 * Use it where the token is looked up in a cache first, because a cached token has been checked before. Use
 * `parseAuthorization` everywhere else.
 *
 * Only the `Authorization` field counts: a token in the query is rejected, a token in a body or a cookie is ignored. The
 * scheme is case-insensitive, and any number of spaces may follow it. The token is not decoded.
 * `maxTokenBytes` limits its length.
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
  if (value === undefined) return Result.fail(withoutStack(() => new MissingCredential()))
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
    return Result.fail(withoutStack(() => new UnsupportedCredential({ detail: schemeMistake(scheme, rest) })))
  }
  if (rest === "") {
    return Result.fail(withoutStack(() => new UnsupportedCredential({ detail: "no token after the scheme" })))
  }
  return rest.length > maxTokenBytes
    ? Result.fail(new CredentialTooLarge({ limit: maxTokenBytes, size: rest.length }))
    : Result.succeed(rest)
}

const malformed = (detail: string): Result.Result<never, InvalidToken> =>
  Result.fail(new InvalidToken({ reason: "MalformedToken", provider: undefined, detail }))

/** Checks the characters of the token that `findBearer` returned. */
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

/** Finds the one bearer token of a request and checks its characters. */
export const parseAuthorization = (
  credentials: Credentials,
  maxTokenBytes: number
): Result.Result<BearerToken.BearerToken, CredentialError> =>
  Result.flatMap(findBearer(credentials, maxTokenBytes), bearerToken)
