/** The form of the app's own errors, in each dialect. */
import { isJsonObject, type JsonObject } from "../../remote/JsonObject.ts"
import * as assert from "../assert.ts"
import { type Challenge, parseChallenge } from "../parseChallenge.ts"
import type { AppResponse, RunningApp } from "./RunningApp.ts"

/** The contents of an error's body. */
export interface OwnError {
  readonly dialect: "oauth" | "jsonrpc"
  /** `undefined`: JSON-RPC expresses the error without a code of OAuth. */
  readonly error: string | undefined
  readonly description: string
}

// RFC 6750, section 3: the characters of `error` and `error_description`.
const errorText = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/

const assertOauth = ({ error, error_description: description, ...rest }: JsonObject): OwnError => {
  assert.isEmpty(rest)
  if (typeof error !== "string" || typeof description !== "string") return assert.fail("an error that is not a text")
  assert.match(error, errorText)
  assert.match(description, errorText)
  return { dialect: "oauth", error, description }
}

// JSON-RPC 2.0, sections 5 and 5.1.
const assertJsonRpc = ({ error: object, ...envelope }: JsonObject): OwnError => {
  assert.deepStrictEqual(envelope, { jsonrpc: "2.0", id: null })
  if (!isJsonObject(object)) return assert.fail("an error that is not an object")
  const { code, data, message, ...rest } = object
  assert.isEmpty(rest)
  assert.isTrue(Number.isInteger(code))
  if (typeof message !== "string") return assert.fail("a message that is not a text")
  if (data === undefined) return { dialect: "jsonrpc", error: undefined, description: message }
  if (!isJsonObject(data)) return assert.fail("data that are not an object")
  const { description, error } = assertOauth(data)
  assert.strictEqual(message, description)
  return { dialect: "jsonrpc", error, description }
}

/** Asserts that a response is a well-formed error of the app's own, and reads it. */
export const readOwnError = ({ headers, relayed, text }: AppResponse): OwnError => {
  assert.isFalse(relayed, "the response was relayed from the MCP server")
  assert.strictEqual(headers.get("content-type"), "application/json")
  assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
  assert.strictEqual(headers.get("cache-control"), "no-store")
  const body: unknown = JSON.parse(text)
  if (!isJsonObject(body)) return assert.fail("an error that is not an object")
  return "jsonrpc" in body ? assertJsonRpc(body) : assertOauth(body)
}

/** Asserts that a response has exactly one well-formed challenge, for Bearer, and reads it. */
export const readChallenge = ({ headers }: AppResponse): Challenge["parameters"] => {
  const { parameters, scheme } = parseChallenge(headers.get("www-authenticate") ?? "")
  assert.strictEqual(scheme, "Bearer")
  assert.includeMembers(["error", "error_description", "scope", "resource_metadata"], [...parameters.keys()])
  for (const name of ["error", "error_description"]) assert.match(parameters.get(name) ?? "none", errorText)
  // Clients search the whole field for these with a regular expression.
  for (const [name, value] of parameters) {
    if (name !== "resource_metadata") assert.notMatch(value, /(?:error|scope|resource_metadata)\s*=/)
  }
  return parameters
}

export interface ExpectedError {
  readonly status: number
  /** The code, in the dialects that have no other one for the error. */
  readonly error: string
  /** There were no credentials: two dialects then omit the error. */
  readonly missing?: boolean
  /** The request is not a message, so the response is never in JSON-RPC. */
  readonly elsewhere?: boolean
}

/**
 * Asserts that a response is exactly this error, in the dialect of the settings: in the body, and in the challenge, which
 * only 401 and 403 have. Returns the description in the body.
 */
export const assertOwnError = (app: RunningApp, response: AppResponse, expected: ExpectedError): OwnError => {
  const { elsewhere = false, missing = false, status } = expected
  const { errorStyle } = app.settings
  assert.strictEqual(response.status, status, response.text)
  const own = readOwnError(response)
  const jsonRpc = errorStyle === "jsonrpc" && !elsewhere
  assert.strictEqual(own.dialect, jsonRpc ? "jsonrpc" : "oauth")
  const error = errorStyle === "unauthorized" && status === 401 ? "unauthorized" : expected.error
  assert.strictEqual(own.error, jsonRpc && missing ? undefined : error)
  if (status === 401 || status === 403) {
    const bare = missing && (jsonRpc || errorStyle === "rfc6750")
    const challenge = readChallenge(response)
    assert.strictEqual(challenge.get("error"), bare ? undefined : error)
    assert.strictEqual(challenge.get("error_description"), bare ? undefined : own.description)
  } else {
    assert.isFalse(response.headers.has("www-authenticate"))
  }
  return own
}

/** Asserts that no request has reached the MCP server. */
export const assertNotForwarded = ({ forwarded }: RunningApp): void =>
  assert.isEmpty(forwarded, "a request came to the MCP server")

/** Asserts that the verifier was called with these tokens, unless it is the app's own. */
export const assertVerified = ({ verified }: RunningApp, tokens: ReadonlyArray<string>): void => {
  if (verified !== undefined) {
    assert.deepStrictEqual([...verified], [...tokens], "the verifier was called with other tokens")
  }
}
