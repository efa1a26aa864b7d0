/** The parts of a token that may be shown, and changed tokens that every server must reject. Pure. */
import * as Encoding from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import { type JsonObject, own, parseJsonObject } from "../remote/JsonObject.ts"

/** The claims of a token that do not identify a user. */
export interface Claims {
  readonly issuer: unknown
  readonly audience: ReadonlyArray<string>
  /** Seconds since 1970. */
  readonly expires: number | undefined
  readonly scope: string | undefined
}

const decode = (part: string): JsonObject | undefined => {
  const text = Result.getOrUndefined(Encoding.decodeString(part))
  return text === undefined ? undefined : Result.getOrUndefined(parseJsonObject(text))
}

const scopeOf = (claims: JsonObject): string | undefined => {
  const scope = own(claims, "scope") ?? own(claims, "scp")
  if (typeof scope === "string") return scope
  return Array.isArray(scope) ? scope.filter((one) => typeof one === "string").join(" ") : undefined
}

/** Reads the claims of a JWT, which are not verified; `undefined` for an opaque token. */
export const claimsOf = (token: string): Claims | undefined => {
  const [header, payload, signature, more] = token.split(".")
  if (header === undefined || payload === undefined || signature === undefined || more !== undefined) return undefined
  const claims = decode(header) === undefined ? undefined : decode(payload)
  if (claims === undefined) return undefined
  const expires = own(claims, "exp")
  return {
    issuer: own(claims, "iss"),
    audience: [own(claims, "aud")].flat().filter((one) => typeof one === "string"),
    expires: typeof expires === "number" ? expires : undefined,
    scope: scopeOf(claims)
  }
}

/** A changed token, and what was changed. */
export interface Forgery {
  readonly text: string
  readonly what: string
}

/** Returns another base64url character. In the middle of a signature, every bit counts. */
const other = (character: string | undefined): string => character === "A" ? "B" : "A"

/** Builds tokens that no verifier may accept: with a wrong signature, and without one. */
export const forgeries = (token: string): ReadonlyArray<Forgery> => {
  const [header, payload, signature] = token.split(".")
  if (header === undefined || payload === undefined || signature === undefined || claimsOf(token) === undefined) {
    const middle = Math.floor(token.length / 2)
    const text = `${token.slice(0, middle)}${other(token[middle])}${token.slice(middle + 1)}`
    return [{ text, what: "the token with one character changed" }]
  }
  const middle = Math.floor(signature.length / 2)
  const changed = `${signature.slice(0, middle)}${other(signature[middle])}${signature.slice(middle + 1)}`
  return [
    { text: `${header}.${payload}.${changed}`, what: "the token with one character of its signature changed" },
    {
      text: `${Encoding.encode("{\"alg\":\"none\",\"typ\":\"JWT\"}")}.${payload}.`,
      what: "the claims of the token with alg none and no signature"
    }
  ]
}
