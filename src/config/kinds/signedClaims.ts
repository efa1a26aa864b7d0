import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { SignedClaim } from "../UpstreamAuth.ts"
import { isPath } from "./claimPaths.ts"
import { type Checked, invalid, type Kind, makeKind } from "./kind.ts"

/** How claims are selected: by their names, or with new names. */
export type SignedClaimsInput = string | ReadonlyArray<string> | Readonly<Record<string, string>>

const form = "Write [\"email\", \"groups\"], or {\"realm_access.roles\": \"roles\"} for other names"

const maxClaims = 32

/** Claims that cannot be copied: the gateway sets them itself, or they bind a token to a key of its bearer. */
const own: ReadonlySet<string> = new Set([
  "iss",
  "sub",
  "aud",
  "exp",
  "nbf",
  "iat",
  "jti",
  "client_id",
  "scope",
  "idp",
  "cnf"
])

const isRecord = (value: SignedClaimsInput): value is Readonly<Record<string, string>> =>
  typeof value === "object" && !Array.isArray(value)

const pairsOf = (value: SignedClaimsInput): ReadonlyArray<readonly [claim: string, name: string]> => {
  if (isRecord(value)) return Object.entries(value).map(([claim, name]) => [claim.trim(), name.trim()])
  const names = typeof value === "string" ? value.split(",") : value
  return names.map((name) => name.trim()).filter((name) => name !== "").map((name) => [name, name])
}

const read = (value: SignedClaimsInput): Checked<ReadonlyArray<SignedClaim>> => {
  const claims = pairsOf(value).map(([claim, name]) => ({ claim, name }))
  if (claims.length > maxClaims) return invalid("has too many members", `Name at most ${maxClaims} claims`)
  if (!claims.every(({ claim, name }) => isPath(claim) && /^[\x21-\x7e]{1,256}$/.test(name))) {
    return invalid("has a member that is not the path of a claim", form)
  }
  if (claims.some(({ name }) => own.has(name))) {
    return invalid(
      "has the name of a claim that the gateway writes itself",
      `Choose another name than ${[...own].join(", ")}`
    )
  }
  return new Set(claims.map(({ name }) => name)).size === claims.length
    ? Result.succeed(claims)
    : invalid("has one name twice", "Give each claim a name of its own")
}

/** The claims of callers that the gateway writes into its own tokens. */
export const signedClaims: Kind<ReadonlyArray<SignedClaim>, SignedClaimsInput> = makeKind<
  ReadonlyArray<SignedClaim>,
  SignedClaimsInput
>({
  label: "comma list, or JSON object",
  input: Schema.Union([
    Schema.String,
    Schema.Array(Schema.String),
    Schema.Record(Schema.String, Schema.NonEmptyString)
  ]),
  mistyped: () => ({ problem: "is neither a list of claims nor an object of names", fix: form }),
  fromJson: read,
  fromText: read,
  show: (claims) =>
    claims.every(({ claim, name }) => claim === name)
      ? claims.map(({ claim }) => claim)
      : Object.fromEntries(claims.map(({ claim, name }) => [claim, name]))
})
