import type { Mistake } from "../../config/InvalidConfiguration.ts"
import type { FieldValue, ProviderFieldName } from "../../config/providers/providerFields.ts"
import type { Json } from "../../identity/Json.ts"

/** Values of fields, in the terms of the config file. */
export type Facts = { readonly [F in ProviderFieldName]?: Json }

export interface FacadeFacts {
  readonly [member: string]: Json
}

/** Returns the decoded value of a field that the operator has given; `undefined` if it is missing or wrong. */
export type GivenValue = <F extends ProviderFieldName>(field: F) => FieldValue<F> | undefined

/** Fields that only the operator knows. One of them is enough. */
export interface Need {
  readonly fields: readonly [ProviderFieldName, ...ReadonlyArray<ProviderFieldName>]
  readonly fix: string
}

/** A mistake in a field that the operator has given. */
export interface PresetMistake extends Mistake {
  readonly field: ProviderFieldName
}

/**
 * What the documentation of a provider says about its tokens, as values of fields that an operator need not look up.
 *
 * A preset is one value in one file of this folder, and an entry of the list in `presets.ts`. It only provides values
 * of fields, and the operator can override each of them. No other code depends on which presets exist.
 */
export interface Preset {
  /** The value of `preset` in the settings. Also the name of the provider, unless the operator gives another. */
  readonly name: string
  /** The pages of the provider's documentation that state these facts. */
  readonly sources: readonly [string, ...ReadonlyArray<string>]
  readonly needs: ReadonlyArray<Need>
  readonly fields: Facts
  /** The facts that follow from what the operator has given. */
  readonly derive?: (given: GivenValue) => Facts
  /** Values that replace the operator's, if the provider is known to write them in a longer form. */
  readonly complete?: (given: GivenValue) => Facts
  /** Members of a facade, for those that the operator has configured but left incomplete. */
  readonly facade?: (given: GivenValue) => FacadeFacts
  readonly mistakes?: (given: GivenValue) => ReadonlyArray<PresetMistake>
}

/** For providers that issue refresh tokens only for this scope. */
export const offlineAccess = (): FacadeFacts => ({ scopes: ["offline_access"] })

/** Like `offlineAccess`, for providers that also require the scope of OpenID Connect. */
export const openIdOffline = (): FacadeFacts => ({ scopes: ["openid", "offline_access"] })

/** Allows the client of the facade, if there is a facade: its clients get tokens that are issued to this client. */
export const facadeClient = (given: GivenValue): Facts => {
  const clientId = given("facade")?.["client_id"]
  return typeof clientId === "string" ? { allowed_clients: [clientId] } : {}
}
