/** JWS compact serialisation (RFC 7515, section 7.1) with a JSON object as payload. Pure. */
import * as Result from "effect/Result"
import { type JsonObject, own, parseJsonObject } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"
import { decode } from "./base64url.ts"
import { type JoseHeader, mediaType, readJoseHeader } from "./JoseHeader.ts"

/** A token that has the form of a JWT. Nothing in it is proven. */
export interface CompactJws {
  /** As it was sent. */
  readonly token: string
  readonly header: JoseHeader
  readonly claims: JsonObject
  readonly signature: Uint8Array
}

/** Says whether a token is to be judged as a JWT: two dots, however broken the parts are. */
export const hasJwtShape = (token: string): boolean => {
  const first = token.indexOf(".")
  const second = token.indexOf(".", first + 1)
  return first !== -1 && second !== -1 && !token.includes(".", second + 1)
}

const malformed = (detail: string): Result.Result<never, Rejection> => Result.fail(rejection("MalformedToken", detail))

// A byte order mark is left in, where JSON does not allow it.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const readText = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** The JSON object in one part. */
const readObject = (bytes: Uint8Array, what: string): Result.Result<JsonObject, Rejection> => {
  const text = readText(bytes)
  if (text === undefined) return malformed(`${what} is not UTF-8`)
  const object = parseJsonObject(text)
  return Result.isSuccess(object) ? Result.succeed(object.success) : malformed(`${what}: ${object.failure}`)
}

/** What a token that its provider judges says of itself, if it has the form of a JWT; nothing is proven or demanded. */
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
 * Reads a token that is exactly three base64url parts, header and payload both JSON objects without repeated members.
 *
 * Neither signature nor claims are judged. Fails with `MalformedToken`, or `UnsupportedAlgorithm` if `alg` is no
 * asymmetric signature.
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
  if (signature === undefined) return malformed("signature is not base64url: was the token cut off?")
  return Result.map(
    readObject(payload, "payload"),
    (claims) => ({ token, header: header.success, claims, signature })
  )
}
