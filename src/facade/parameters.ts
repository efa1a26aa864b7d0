/** The parameters of requests from OAuth clients and browsers. Pure. */
import * as Result from "effect/Result"
import { OAuthRejected } from "../errors/GatewayError.ts"

/** Parameters by name; those without a value are left out (RFC 6749, section 3.1). */
export type Parameters = ReadonlyMap<string, string>

const maxQuery = 8_192
const maxParameters = 64

/** Control characters, and the replacement characters of invalid UTF-8. */
const unusable = /[\p{Cc}\ufffd]/u

const malformed = (detail: string) =>
  Result.fail(new OAuthRejected({ error: "invalid_request", reason: "MalformedRequest", detail }))

/**
 * Parses `application/x-www-form-urlencoded` text. No parameter may occur twice (RFC 6749, sections 3.1 and 3.2): the
 * provider might use another value than the one that was checked.
 */
export const parseParameters = (text: string): Result.Result<Parameters, OAuthRejected> => {
  const parameters = new Map<string, string>()
  const names = new Set<string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (names.has(name)) {
      return Result.fail(
        new OAuthRejected({ error: "invalid_request", reason: "RepeatedParameter", detail: "a parameter is repeated" })
      )
    }
    names.add(name)
    if (names.size > maxParameters) return malformed(`more than ${maxParameters} parameters`)
    if (unusable.test(name) || unusable.test(value)) {
      return malformed("a parameter has a control character or is not UTF-8")
    }
    if (value !== "") parameters.set(name, value)
  }
  return Result.succeed(parameters)
}

export const parseQuery = (query: string): Result.Result<Parameters, OAuthRejected> =>
  query.length > maxQuery ? malformed(`the query is longer than ${maxQuery} characters`) : parseParameters(query)

const decoder = new TextDecoder("utf-8", { fatal: true })

/** The text of a body, which must be UTF-8. */
export const bodyText = (body: Uint8Array): Result.Result<string, OAuthRejected> =>
  Result.mapError(
    Result.try(() => decoder.decode(body)),
    () => new OAuthRejected({ error: "invalid_request", reason: "MalformedRequest", detail: "the body is not UTF-8" })
  )

/** The parameters of a form (RFC 6749, section 3.2). */
export const parseForm = (
  contentType: string | undefined,
  body: Uint8Array
): Result.Result<Parameters, OAuthRejected> =>
  /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType ?? "")
    ? Result.flatMap(bodyText(body), parseParameters)
    : malformed("the content type is not application/x-www-form-urlencoded")

export const required = (parameters: Parameters, name: string): Result.Result<string, OAuthRejected> => {
  const value = parameters.get(name)
  return value === undefined
    ? Result.fail(
      new OAuthRejected({ error: "invalid_request", reason: "MissingParameter", detail: `${name} is missing` })
    )
    : Result.succeed(value)
}

/**
 * Returns whether a query is part of a sign-in, which traces must not show: it may contain a code, or the secret of the
 * browser. Names are decoded, as they are in `parseParameters`.
 *
 * @param query the query without its `?`
 */
export const carriesSignIn = (query: string): boolean =>
  query !== "" && [...new URLSearchParams(query).keys()].some((name) => name === "code" || name === "state")

/** Adds parameters to a URL that may have a query already, which is kept (RFC 6749, section 3.1.2). */
export const withParameters = (
  url: string,
  parameters: ReadonlyArray<readonly [name: string, value: string | undefined]>
): string => {
  const added = new URLSearchParams(
    parameters.flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
  )
  const mark = url.includes("?") ? url.endsWith("?") || url.endsWith("&") ? "" : "&" : "?"
  return `${url}${mark}${added.toString()}`
}
