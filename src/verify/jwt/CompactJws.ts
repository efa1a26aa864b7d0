/** JWS compact serialization (RFC 7515, section 7.1) with a JSON object as payload. Pure. */
import * as Result from "effect/Result"
import { type JsonObject, own, parseJsonObject } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"
import { decode } from "./base64url.ts"
import { type JoseHeader, mediaType, readJoseHeader } from "./JoseHeader.ts"

/** A token that has the form of a JWT. Nothing in it is verified. */
export interface CompactJws {
  readonly token: string
  readonly header: JoseHeader
  readonly claims: JsonObject
  readonly signature: Uint8Array
}

/** Returns whether a token is verified as a JWT: it has two dots, even if its parts are malformed. */
export const hasJwtShape = (token: string): boolean => {
  const first = token.indexOf(".")
  const second = token.indexOf(".", first + 1)
  return first !== -1 && second !== -1 && !token.includes(".", second + 1)
}

const malformed = (detail: string): Result.Result<never, Rejection> => Result.fail(rejection("MalformedToken", detail))

// Keeps a byte order mark, so that the JSON parser rejects it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const readText = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Reads one part, which must be a JSON object. */
const readObject = (bytes: Uint8Array, what: string): Result.Result<JsonObject, Rejection> => {
  const text = readText(bytes)
  if (text === undefined) return malformed(`${what} is not UTF-8`)
  const object = parseJsonObject(text)
  return Result.isSuccess(object) ? Result.succeed(object.success) : malformed(`${what}: ${object.failure}`)
}

/** Reads the claims of a token that is verified at its provider, if it has the form of a JWT. Nothing is verified. */
export const peekJwt = (
  token: string
): { readonly typ: string | undefined; readonly claims: JsonObject } | undefined => {
  if (!hasJwtShape(token)) return undefined
  const [first = "", second = ""] = token.split(".", 2)
  const [header, claims] = [first, second].map((part) => {
    const bytes = decode(part)
    return bytes === undefined ? undefined : Result.getOrUndefined(readObject(bytes, "part"))
  })
  if (header === undefined || claims === undefined) return undefined
  const typ = own(header, "typ")
  return { typ: typeof typ === "string" ? mediaType(typ) : undefined, claims }
}

/**
 * Parses a token of exactly three base64url parts, whose header and payload are JSON objects without duplicate members.
 *
 * Verifies neither the signature nor the claims. Fails with `MalformedToken`, or with `UnsupportedAlgorithm` if `alg` is
 * not an asymmetric signature algorithm.
 */
export const parseCompactJws = (token: string): Result.Result<CompactJws, Rejection> => {
  if (!hasJwtShape(token)) return malformed("not three parts")
  const [first = "", second = "", third = ""] = token.split(".", 3)
  const protectedHeader = decode(first)
  if (protectedHeader === undefined) return malformed("header is not base64url")
  const header = Result.flatMap(readObject(protectedHeader, "header"), readJoseHeader)
  if (Result.isFailure(header)) return Result.fail(header.failure)
  const payload = decode(second)
  const signature = decode(third)
  if (payload === undefined) return malformed("payload is not base64url")
  if (signature === undefined) return malformed("signature is not base64url: the token may be truncated")
  return Result.map(
    readObject(payload, "payload"),
    (claims) => ({ token, header: header.success, claims, signature })
  )
}
