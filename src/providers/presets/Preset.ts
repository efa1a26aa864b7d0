import type { Mistake } from "../../config/InvalidConfiguration.ts"
import type { FieldValue, ProviderFieldName } from "../../config/providers/providerFields.ts"
import type { Json } from "../../identity/Json.ts"

/** Values of fields, in the terms of the config file. */
export type Facts = { readonly [F in ProviderFieldName]?: Json }

/** Values of members of a facade. */
export interface FacadeFacts {
  readonly [member: string]: Json
}

/** Returns the decoded value of a field that the operator has given; `undefined` if it is missing or wrong. */
export type GivenValue = <F extends ProviderFieldName>(field: F) => FieldValue<F> | undefined

/** Fields that only the operator knows. One of them is enough. */
export interface Need {
  readonly fields: readonly [ProviderFieldName, ...ReadonlyArray<ProviderFieldName>]
  /** Where the operator finds the value. */
  readonly fix: string
}

/** A given field that cannot be right for this provider. */
export interface PresetMistake extends Mistake {
  readonly field: ProviderFieldName
}

/**
 * What the documentation of a provider says about its tokens, as values of fields that an operator need not look up.
 *
 * A preset is one value in one file of this folder, and an entry of the list in `presets.ts`. It decides only the
 * values of fields: the operator can override each of them, and no other code knows which presets exist.
 */
export interface Preset {
  /** The value of `preset` in the settings, and the name of the provider unless it has one of its own. */
  readonly name: string
  /** The pages of the provider's documentation with these facts. */
  readonly sources: readonly [string, ...ReadonlyArray<string>]
  readonly needs: ReadonlyArray<Need>
  /** The facts that are the same for everyone. */
  readonly fields: Facts
  /** The facts that follow from what the operator has given. */
  readonly derive?: (given: GivenValue) => Facts
  /** Values that replace the operator's, if the provider is known to write them in a longer form. */
  readonly complete?: (given: GivenValue) => Facts
  /** Members of a facade, where the operator has configured one and left them out. */
  readonly facade?: (given: GivenValue) => FacadeFacts
  readonly mistakes?: (given: GivenValue) => ReadonlyArray<PresetMistake>
}

/** For providers that issue refresh tokens only for this scope. */
export const offlineAccess = (): FacadeFacts => ({ scopes: ["offline_access"] })

/** The same, for providers that also want the scope of OpenID Connect. */
export const openIdOffline = (): FacadeFacts => ({ scopes: ["openid", "offline_access"] })

/** The client of the facade, if there is one: tokens that clients get by the facade are its tokens. */
export const facadeClient = (given: GivenValue): Facts => {
  const clientId = given("facade")?.["client_id"]
  return typeof clientId === "string" ? { allowed_clients: [clientId] } : {}
}
