/** The protected header of a JWS (RFC 7515, section 4). Pure. */
import * as Result from "effect/Result"
import { type JwsAlgorithm, jwsAlgorithms } from "../../config/GatewaySettings.ts"
import { show } from "../../errors/show.ts"
import { thumbprint } from "../../keys/thumbprint.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"

/** What the header says that matters. `jku`, `jwk`, `x5u` and `x5c` are not read: a token does not bring its key. */
export interface JoseHeader {
  readonly alg: JwsAlgorithm
  readonly kid: string | undefined
  /** The thumbprints of the certificate of its key, where it names the key in this way. */
  readonly x5t?: string | undefined
  readonly x5tS256?: string | undefined
  /** Lower case, without `application/`. */
  readonly typ: string | undefined
}

const maxKeyIdLength = 1024

// Extensions, unencoded payloads (RFC 7797), compression and encryption (RFC 7516): no access token needs them.
const forbiddenParameters = ["crit", "b64", "zip", "enc"]

const isJwsAlgorithm = (alg: unknown): alg is JwsAlgorithm => jwsAlgorithms.some((known) => known === alg)

const unsupported = (alg: unknown): Rejection =>
  rejection(
    "UnsupportedAlgorithm",
    typeof alg === "string" && /^HS\d+$/.test(alg)
      ? `alg is ${show(alg)}: such tokens are for the issuer itself, as refresh tokens of Keycloak are`
      : `alg is ${show(alg)}, which is not a signature algorithm that can be allowed`
  )

/** Lower case, without `application/` (RFC 7515, section 4.1.9). */
export const mediaType = (value: string): string => value.toLowerCase().replace(/^application\//, "")

/** Reads a header, or says why no token may have it. `none` and HMAC are no algorithms here; `null` is absence. */
export const readJoseHeader = (header: JsonObject): Result.Result<JoseHeader, Rejection> => {
  const alg = own(header, "alg")
  const cty = own(header, "cty")
  const kid = own(header, "kid")
  const typ = own(header, "typ")
  const refused = forbiddenParameters.find((name) => Object.hasOwn(header, name))
  if (refused !== undefined) return Result.fail(rejection("MalformedToken", `header parameter ${refused}`))
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
