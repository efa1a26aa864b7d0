/** The fields that determine how claims become identities: their names, their decoding, and their form in `--check`. */
import type { FieldReader } from "./FieldReader.ts"
import type { FieldValue, ProviderFieldName } from "./providerFields.ts"

/** Optional fields, and the properties of a provider that they set. */
type OptionalFields = { readonly [F in ProviderFieldName]?: string }

/** The properties that given optional fields set. */
type Given<Fields extends OptionalFields> = {
  readonly [F in ProviderFieldName & keyof Fields as Fields[F] & string]?: FieldValue<F> | undefined
}

// `Object.entries` has no narrower type; every table is a constant.
const entriesOf = (fields: OptionalFields) => Object.entries(fields) as ReadonlyArray<[ProviderFieldName, string]>

/** Reads fields that may be left out. */
export const readOptional = <const Fields extends OptionalFields>(
  reader: FieldReader,
  fields: Fields
): Given<Fields> => {
  const found = entriesOf(fields).flatMap(([field, property]) => {
    const value = reader.read(field)
    return value === undefined ? [] : [[property, value]]
  })
  return Object.fromEntries(found) as Given<Fields>
}

/** Returns the members for such fields in the output of `--check`. */
export const describeOptional = <const Fields extends OptionalFields>(
  fields: Fields,
  provider: Given<Fields>
): { readonly [F in keyof Fields]?: FieldValue<F & ProviderFieldName> } => {
  const properties: Readonly<Record<string, unknown>> = provider
  const shown = entriesOf(fields).flatMap(([field, property]) => {
    const value = properties[property]
    return value === undefined ? [] : [[field, value]]
  })
  // The same.
  return Object.fromEntries(shown) as { readonly [F in keyof Fields]?: FieldValue<F & ProviderFieldName> }
}

const optional = {
  subject_claims: "subjectClaims",
  client_claims: "clientClaims",
  scope_claims: "scopeClaims",
  scopes_requested: "scopesRequested",
  group_claims: "groupClaims"
} as const

/** The fields for all types whose providers describe the caller. */
export const claimFields: ReadonlyArray<ProviderFieldName> = [
  "require_verified_email",
  ...entriesOf(optional).map(([field]) => field)
]

interface ClaimSettings extends Given<typeof optional> {
  readonly requireVerifiedEmail: boolean
  readonly trustEmail?: boolean | undefined
}

/** How claims become identities, as configured by fields. */
export const readClaimFields = (fields: FieldReader): ClaimSettings => {
  const requireVerifiedEmail = fields.read("require_verified_email")
  return {
    requireVerifiedEmail: requireVerifiedEmail ?? false,
    // An operator who sets it explicitly vouches for the addresses.
    ...(requireVerifiedEmail === false ? { trustEmail: true } : {}),
    ...readOptional(fields, optional)
  }
}

/** Returns the members for these settings in the output of `--check`. */
export const describeClaimFields = (provider: ClaimSettings) => ({
  require_verified_email: provider.requireVerifiedEmail,
  ...(provider.trustEmail === true ? { unverified_email_counts: true } : {}),
  ...describeOptional(optional, provider)
})
