/** Takes compact tokens apart and puts them together again, correctly or not. Pure, except for signing. */
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import type { Signer } from "../../issuer/SigningKey.ts"

/** Header, payload and signature, encoded. */
export type Parts = readonly [header: string, payload: string, signature: string]

export const partsOf = (token: string): Parts => {
  const [header = "", payload = "", signature = ""] = token.split(".")
  return [header, payload, signature]
}

export const encode = (content: string | Uint8Array): string => Base64Url.encode(content)

export const decodeBytes = (part: string): Uint8Array => Result.getOrThrow(Base64Url.decode(part))

export const decodeText = (part: string): string => Result.getOrThrow(Base64Url.decodeString(part))

/** Returns the header of a token that the issuer has signed. */
export const headerOf = (token: string): Readonly<Record<string, unknown>> => JSON.parse(decodeText(partsOf(token)[0]))

/** Returns the claims of a token that the issuer has signed. */
export const claimsOf = (token: string): Readonly<Record<string, unknown>> => JSON.parse(decodeText(partsOf(token)[1]))

/** Writes JSON text of an object with the given members in order. Names may repeat, and values are raw JSON. */
export const jsonText = (members: ReadonlyArray<readonly [name: string, json: string]>): string =>
  `{${members.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`

/** Returns the members of an object, to be changed and written with `jsonText`. */
export const membersOf = (object: Readonly<Record<string, unknown>>): ReadonlyArray<readonly [string, string]> =>
  Object.entries(object).map(([name, value]) => [name, JSON.stringify(value)] as const)

/** Writes JSON text of an object in which `changes` (raw JSON) replace members of the same names. */
export const jsonWith = (
  object: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, string>>
): string =>
  jsonText([...membersOf(object).filter(([name]) => !Object.hasOwn(changes, name)), ...Object.entries(changes)])

/** Signs encoded parts, regardless of their contents. */
export const signParts = (header: string, payload: string, signer: Signer): Effect.Effect<string> =>
  Effect.map(
    signer.sign(new TextEncoder().encode(`${header}.${payload}`)),
    (signature) => `${header}.${payload}.${encode(signature)}`
  )
