/** How `upstream_auth` is written. */
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { assertionAlgorithms, facadeAuthMethods } from "../Facade.ts"
import { exchangeGrants, identityTokenTypes } from "../UpstreamAuth.ts"
import type { SignedClaimsInput } from "./signedClaims.ts"

/** The types of `upstream_auth`. */
export const upstreamAuthTypes = ["none", "identity_jwt", "exchange", "header"] as const

type Secret = string | Redacted.Redacted<string>

/** A JWT that the gateway signs with `MCP_SIGNING_KEY`. */
interface IdentityJwtInput {
  readonly type: "identity_jwt"
  /** The field with the token. Default: `authorization`, in which the token follows `Bearer`. */
  readonly field?: string | undefined
  /** `iss`. Default: the public URL. */
  readonly issuer?: string | undefined
  /** `aud`. Default: the URL of the MCP server. */
  readonly audience?: string | undefined
  /** Claims of the caller's token to copy: their paths, or an object from paths to names. Default: none. */
  readonly claims?: SignedClaimsInput | undefined
  /** The type of the token. Default: `at+jwt` (RFC 9068). */
  readonly typ?: (typeof identityTokenTypes)[number] | undefined
}

/** A token that the provider issues in exchange for the caller's. */
interface ExchangeInput {
  readonly type: "exchange"
  /** The field with the token. Default: `authorization`, in which the token follows `Bearer`. */
  readonly field?: string | undefined
  /** RFC 8693, or Entra's on-behalf-of. Default: `token_exchange`. */
  readonly grant?: (typeof exchangeGrants)[number] | undefined
  /** The name of the provider, if the server has several. */
  readonly provider?: string | undefined
  /** The token endpoint of the exchange. Default: from the provider's metadata. */
  readonly token_endpoint?: string | undefined
  /** The client that is registered at the provider for the gateway. */
  readonly client_id: string
  /** How the gateway authenticates. Default: with a secret, the method in the provider's metadata. */
  readonly client_auth?: (typeof facadeAuthMethods)[number] | undefined
  readonly client_secret?: Secret | undefined
  /** A file that holds `client_secret`. */
  readonly client_secret_file?: string | undefined
  /** The private key of `private_key_jwt`: PKCS#8 in PEM. */
  readonly client_key?: Secret | undefined
  /** A file that holds `client_key`. */
  readonly client_key_file?: string | undefined
  /** Default: `RS256`. */
  readonly client_key_algorithm?: (typeof assertionAlgorithms)[number] | undefined
  /** The `kid` of the client assertion. */
  readonly client_key_id?: string | undefined
  /** The SHA-256 thumbprint of the key's certificate in base64url (`x5t#S256` of the client assertion). */
  readonly client_certificate_thumbprint?: string | undefined
  readonly audience?: string | ReadonlyArray<string> | undefined
  /** The URL of the service that the token is for (RFC 8707). */
  readonly resource?: string | undefined
  readonly scope?: string | ReadonlyArray<string> | undefined
  readonly requested_token_type?: string | undefined
}

interface HeaderInput {
  readonly type: "header"
  readonly field: string
  readonly value?: Secret | undefined
  /** A file that holds `value`. */
  readonly value_file?: string | undefined
}

/** `upstream_auth` as TypeScript and JSON write it. */
export type UpstreamAuthInput =
  | "none"
  | "identity_jwt"
  | { readonly type: "none" }
  | IdentityJwtInput
  | ExchangeInput
  | HeaderInput

const line = Schema.optionalKey(Schema.NonEmptyString)
const strings = Schema.Union([Schema.NonEmptyString, Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))])

export const File = Schema.Union([
  Schema.Literals(["none", "identity_jwt"]),
  Schema.Struct({ type: Schema.Literal("none") }),
  Schema.Struct({
    type: Schema.Literal("identity_jwt"),
    field: line,
    issuer: line,
    audience: line,
    claims: Schema.optionalKey(
      Schema.Union([
        Schema.NonEmptyString,
        Schema.Array(Schema.NonEmptyString),
        Schema.Record(Schema.String, Schema.NonEmptyString)
      ])
    ),
    typ: Schema.optionalKey(Schema.Literals(identityTokenTypes))
  }),
  Schema.Struct({
    type: Schema.Literal("exchange"),
    field: line,
    grant: Schema.optionalKey(Schema.Literals(exchangeGrants)),
    provider: line,
    token_endpoint: line,
    client_id: Schema.NonEmptyString,
    client_auth: Schema.optionalKey(Schema.Literals(facadeAuthMethods)),
    client_secret: line,
    client_secret_file: line,
    client_key: line,
    client_key_file: line,
    client_key_algorithm: Schema.optionalKey(Schema.Literals(assertionAlgorithms)),
    client_key_id: line,
    client_certificate_thumbprint: line,
    audience: Schema.optionalKey(strings),
    resource: line,
    scope: Schema.optionalKey(strings),
    requested_token_type: line
  }),
  Schema.Struct({ type: Schema.Literal("header"), field: Schema.NonEmptyString, value: line, value_file: line })
])
