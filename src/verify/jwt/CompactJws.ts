/** JWS compact serialisation (RFC 7515, section 7.1) with a JSON object as payload. Pure. */
import * as Result from "effect/Result"
import { type JsonObject, parseJsonObject } from "../../keys/JsonObject.ts"
import { type Refusal, refusal } from "../Refusal.ts"
import { decode, isCanonical } from "./base64url.ts"
import { type JoseHeader, readJoseHeader } from "./JoseHeader.ts"

/** A token that has the form of a JWT. Nothing in it is proven. */
export interface CompactJws {
  /** As it was sent. */
  readonly token: string
  readonly header: JoseHeader
  readonly claims: JsonObject
}

/** Says whether a token is to be judged as a JWT: two dots, however broken the parts are. */
export const hasJwtShape = (token: string): boolean => {
  const first = token.indexOf(".")
  const second = token.indexOf(".", first + 1)
  return first !== -1 && second !== -1 && !token.includes(".", second + 1)
}

const malformed = (detail: string): Result.Result<never, Refusal> => Result.fail(refusal("MalformedToken", detail))

/** The JSON object in one part. A byte order mark is left in, where JSON does not allow it. */
const readObject = (part: string, what: string): Result.Result<JsonObject, Refusal> =>
  Result.try({
    try: () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(decode(part)),
    catch: () => refusal("MalformedToken", `${what} is not UTF-8`)
  }).pipe(
    Result.flatMap((text) =>
      Result.mapError(parseJsonObject(text), (problem) => refusal("MalformedToken", `${what}: ${problem}`))
    )
  )

/**
 * Reads a token that is exactly three base64url parts, header and payload both JSON objects without repeated members.
 *
 * Neither signature nor claims are judged. Fails with `MalformedToken`, or `UnsupportedAlgorithm` if `alg` is no
 * asymmetric signature.
 */
export const parseCompactJws = (token: string): Result.Result<CompactJws, Refusal> => {
  if (!hasJwtShape(token)) return malformed("not three parts")
  const [protectedHeader = "", payload = "", signature = ""] = token.split(".", 3)
  if (!isCanonical(protectedHeader)) return malformed("header is not base64url")
  return Result.gen(function*() {
    const header = yield* Result.flatMap(readObject(protectedHeader, "header"), readJoseHeader)
    if (!isCanonical(payload) || !isCanonical(signature)) {
      return yield* malformed("payload or signature is not base64url")
    }
    return { token, header, claims: yield* readObject(payload, "payload") }
  })
}
