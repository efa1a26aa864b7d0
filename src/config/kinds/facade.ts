/** The facade of a provider as a setting: an object, in the file, a variable, and TypeScript code. */
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { assertionAlgorithms, facadeAuthMethods } from "../Facade.ts"
import type { Mistake } from "../InvalidConfiguration.ts"
import { parseJson } from "../sources/jsonText.ts"
import { hosts } from "./domains.ts"
import { type Checked, invalid, type Kind, makeKind } from "./kind.ts"
import { boolean, choice, hidden, integer, scopes, secret, text } from "./kinds.ts"
import { privateKey } from "./privateKey.ts"
import { redirectUris, trustedClients } from "./redirectUris.ts"
import { providerUrl } from "./urls.ts"

/** The facade as TypeScript and JSON write it. */
export interface FacadeInput {
  /** The id of the client that you registered at the provider, with the gateway's callback as its redirect URI. */
  readonly client_id: string
  readonly client_secret?: string | Redacted.Redacted<string> | undefined
  /** A file that holds `client_secret`. */
  readonly client_secret_file?: string | undefined
  /**
   * How the gateway authenticates at the provider. Default: with a secret, the method in the provider's metadata, else
   * `none`.
   */
  readonly client_auth?: (typeof facadeAuthMethods)[number] | undefined
  /** The private key of `private_key_jwt`: PKCS#8 in PEM. */
  readonly client_key?: string | Redacted.Redacted<string> | undefined
  /** A file that holds `client_key`. */
  readonly client_key_file?: string | undefined
  /** Default: `RS256`. */
  readonly client_key_algorithm?: (typeof assertionAlgorithms)[number] | undefined
  /** The `kid` of the client assertion. */
  readonly client_key_id?: string | undefined
  /** The SHA-256 thumbprint of the key's certificate in base64url (`x5t#S256` of the client assertion). */
  readonly client_certificate_thumbprint?: string | undefined
  /** The URIs to which clients may be redirected; a loopback URI without a port matches every port. */
  readonly redirect_uris: string | ReadonlyArray<string>
  /** https redirect URIs, and client ids that are URLs, for which no consent page is shown. Default: none. */
  readonly trusted_clients?: string | ReadonlyArray<string> | undefined
  /** Whether clients can register (RFC 7591). Default: `true`. */
  readonly registration?: boolean | undefined
  /** Whether the provider exchanges identity assertions (RFC 7523, ID-JAG) for tokens. Default: `false`. */
  readonly assertions?: boolean | undefined
  /** The issuer of the assertions, whose metadata name its keys. Default: the provider itself. */
  readonly assertion_issuer?: string | undefined
  /** Whether client ids may be URLs of metadata documents. Default: `true`. */
  readonly client_metadata?: boolean | undefined
  /** Hosts of such documents that may have private addresses. Default: none. */
  readonly client_metadata_hosts?: string | ReadonlyArray<string> | undefined
  /** Scopes that are requested in addition to those of the client, such as `offline_access`. Default: none. */
  readonly scopes?: string | ReadonlyArray<string> | undefined
  /** What the provider gets as `resource`: `keep` for what the client sent, or a fixed value. Default: nothing. */
  readonly resource?: string | undefined
  /** Parameters that are added to the authorization request: `{"audience": "{resource}"}`, the URL of the MCP server. */
  readonly authorize_parameters?: Readonly<Record<string, string>> | undefined
  readonly token_parameters?: Readonly<Record<string, string>> | undefined
  /** Whether the gateway uses PKCE at the provider as well. Default: `true`. */
  readonly pkce?: boolean | undefined
  /** Endpoints of the provider, if its metadata do not name them. */
  readonly authorize_endpoint?: string | undefined
  readonly token_endpoint?: string | undefined
  readonly revocation_endpoint?: string | undefined
  /** How many requests from one address each endpoint accepts in a minute. Default: 300. */
  readonly requests_per_minute?: number | undefined
}

/** Parameters that cannot be added: the gateway sets them itself, or they would bypass its checks. */
const ownParameters: ReadonlySet<string> = new Set([
  "client_assertion",
  "client_assertion_type",
  "client_id",
  "client_secret",
  "code",
  "code_challenge",
  "code_challenge_method",
  "code_verifier",
  "grant_type",
  "redirect_uri",
  "refresh_token",
  "request",
  "request_uri",
  "resource",
  "response_mode",
  "response_type",
  "scope",
  "state"
])

type Parameters = ReadonlyArray<readonly [name: string, value: string]>

const isParameters = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) &&
  Object.values(value).every((member) => typeof member === "string" && /^[\x20-\x7e]{1,2048}$/.test(member))

const parameterForm = "Write an object of strings: {\"audience\": \"https://api.example\"}"

const readParameters = (value: Readonly<Record<string, string>>): Checked<Parameters> => {
  for (const name of Object.keys(value)) {
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name)) return invalid("has a member that cannot be a parameter", parameterForm)
    if (ownParameters.has(name)) {
      return invalid(`has the member ${name}, which the gateway itself sends`, "Remove it")
    }
  }
  return Result.succeed(Object.entries(value))
}

const parameters: Kind<Parameters, Readonly<Record<string, string>>> = makeKind<
  Parameters,
  Readonly<Record<string, string>>
>({
  label: "object",
  input: Schema.declare(isParameters),
  file: Schema.Record(Schema.String, Schema.String),
  mistyped: () => ({ problem: "is not an object of strings", fix: parameterForm }),
  fromJson: readParameters,
  fromText: (text) =>
    Result.flatMap(
      parseJson(text),
      (value) => isParameters(value) ? readParameters(value) : invalid("is not an object of strings", parameterForm)
    ),
  show: (given) => Object.fromEntries(given)
})

export const facadeMembers = {
  client_id: text,
  client_secret: secret,
  client_auth: choice(facadeAuthMethods),
  client_key: privateKey,
  client_key_algorithm: choice(assertionAlgorithms),
  client_key_id: text,
  client_certificate_thumbprint: text,
  redirect_uris: redirectUris,
  trusted_clients: trustedClients,
  registration: boolean,
  assertions: boolean,
  assertion_issuer: providerUrl,
  client_metadata: boolean,
  client_metadata_hosts: hosts,
  scopes,
  resource: text,
  authorize_parameters: parameters,
  token_parameters: parameters,
  pkce: boolean,
  authorize_endpoint: providerUrl,
  token_endpoint: providerUrl,
  revocation_endpoint: providerUrl,
  requests_per_minute: integer(1, 100_000)
} as const

export type FacadeMember = keyof typeof facadeMembers

/** `client_secret_file` names a file that holds the client secret. */
export const facadeFiles: ReadonlyMap<string, FacadeMember> = new Map([
  ["client_secret_file", "client_secret"],
  ["client_key_file", "client_key"]
])

type JsonObject = Readonly<Record<string, unknown>>

const noObject = (): Mistake => ({
  problem: "is not an object",
  fix: "Write {\"client_id\": …, \"client_secret\": …, \"redirect_uris\": […]}"
})

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const strings = Schema.Union([Schema.NonEmptyString, Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))])
const line = Schema.optionalKey(Schema.NonEmptyString)

const File = Schema.Struct({
  client_id: Schema.NonEmptyString,
  client_secret: line,
  client_secret_file: line,
  client_auth: Schema.optionalKey(Schema.Literals(facadeAuthMethods)),
  client_key: line,
  client_key_file: line,
  client_key_algorithm: Schema.optionalKey(Schema.Literals(assertionAlgorithms)),
  client_key_id: line,
  client_certificate_thumbprint: line,
  redirect_uris: strings,
  trusted_clients: Schema.optionalKey(strings),
  registration: Schema.optionalKey(Schema.Boolean),
  assertions: Schema.optionalKey(Schema.Boolean),
  assertion_issuer: line,
  client_metadata: Schema.optionalKey(Schema.Boolean),
  client_metadata_hosts: Schema.optionalKey(strings),
  scopes: Schema.optionalKey(strings),
  resource: line,
  authorize_parameters: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  token_parameters: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  pkce: Schema.optionalKey(Schema.Boolean),
  authorize_endpoint: line,
  token_endpoint: line,
  revocation_endpoint: line,
  requests_per_minute: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 })))
})

// Members are checked one by one, so that a problem names its member.
const isInput = (value: unknown): value is FacadeInput => isObject(value)

/** A facade, whose members are read one by one elsewhere. */
export const facade: Kind<JsonObject, FacadeInput> = makeKind<JsonObject, FacadeInput>({
  label: "JSON object",
  input: Schema.declare(isInput),
  file: File,
  mistyped: noObject,
  fromJson: (value) => Result.succeed({ ...value }),
  fromText: (text) =>
    Result.flatMap(
      parseJson(text),
      (value): Checked<JsonObject> => isObject(value) ? Result.succeed(value) : Result.fail([noObject()])
    ),
  show: () => ({ client_id: hidden, redirect_uris: hidden })
})
