/** The protected header of a JWS (RFC 7515, section 4). Pure. */
import * as Result from "effect/Result"
import { type JwsAlgorithm, jwsAlgorithms } from "../../config/GatewaySettings.ts"
import { show } from "../../errors/show.ts"
import { thumbprint } from "../../keys/thumbprint.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"

/**
 * The header parameters that the gateway uses. `jku`, `jwk`, `x5u` and `x5c` are ignored: a token must not bring its
 * own key.
 */
export interface JoseHeader {
  readonly alg: JwsAlgorithm
  readonly kid: string | undefined
  /** The thumbprints of the key's certificate, if the token names its key by them. */
  readonly x5t?: string | undefined
  readonly x5tS256?: string | undefined
  /** The type in lower case, without `application/`. */
  readonly typ: string | undefined
}

const maxKeyIdLength = 1024

// Parameters for extensions, unencoded payloads (RFC 7797), compression and encryption (RFC 7516). Access tokens need
// none of them.
const forbiddenParameters = ["crit", "b64", "zip", "enc"]

const isJwsAlgorithm = (alg: unknown): alg is JwsAlgorithm => jwsAlgorithms.some((known) => known === alg)

const unsupported = (alg: unknown): Rejection =>
  rejection(
    "UnsupportedAlgorithm",
    typeof alg === "string" && /^HS\d+$/.test(alg)
      ? `alg is ${show(alg)}: such tokens are meant for the issuer itself, for example refresh tokens of Keycloak`
      : `alg is ${show(alg)}, which is not a signature algorithm that can be allowed`
  )

/** Normalizes a media type: lower case, without `application/` (RFC 7515, section 4.1.9). */
export const mediaType = (value: string): string => value.toLowerCase().replace(/^application\//, "")

/** Reads a header, or returns why no token may have it: `none` and HMAC are not allowed. `null` counts as missing. */
export const readJoseHeader = (header: JsonObject): Result.Result<JoseHeader, Rejection> => {
  const alg = own(header, "alg")
  const cty = own(header, "cty")
  const kid = own(header, "kid")
  const typ = own(header, "typ")
  const forbidden = forbiddenParameters.find((name) => Object.hasOwn(header, name))
  if (forbidden !== undefined) return Result.fail(rejection("MalformedToken", `header parameter ${forbidden}`))
  if (!isJwsAlgorithm(alg)) return Result.fail(unsupported(alg))
  if (kid !== undefined && (typeof kid !== "string" || kid.length > maxKeyIdLength)) {
    return Result.fail(rejection("MalformedToken", `kid is not a string of at most ${maxKeyIdLength} characters`))
  }
  if (typ !== undefined && typeof typ !== "string") {
    return Result.fail(rejection("MalformedToken", "typ is not a string"))
  }
  if (cty !== undefined && (typeof cty !== "string" || mediaType(cty) === "jwt")) {
    return Result.fail(rejection("MalformedToken", "a nested token"))
  }
  const certificate = kid === undefined
    ? { x5t: thumbprint(own(header, "x5t")), x5tS256: thumbprint(own(header, "x5t#S256")) }
    : undefined
  return Result.succeed({ alg, kid, ...certificate, typ: typ === undefined ? undefined : mediaType(typ) })
}
