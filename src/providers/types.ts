/** The list of provider types. No other module lists them. */
import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import type { ProviderFieldName } from "../config/providers/providerFields.ts"
import { authkit } from "./authkit.ts"
import { introspection } from "./introspection.ts"
import { oidc } from "./oidc.ts"
import { isProviderType, type ProviderType } from "./ProviderType.ts"
import { staticTokens } from "./static.ts"
import { tokeninfo } from "./tokeninfo.ts"
import { userinfo } from "./userinfo.ts"

const types = [authkit, tokeninfo, oidc, staticTokens, userinfo, introspection] as const

/**
 * The gateway's own types. Entries without `type` are matched in this order, which is also the order of the reference.
 */
export const providerTypes: ReadonlyArray<ProviderType> = types

type ProviderOf<T> = T extends ProviderType<infer P> ? P : never

/** A provider of one of the gateway's own types. */
export type OwnProvider = ProviderOf<(typeof types)[number]>

/** The names that `type` of a provider accepts; `jwt` means `oidc`. */
export type ProviderTypeName = OwnProvider["type"] | "jwt"

export const typeNames = (all: ReadonlyArray<ProviderType>): ReadonlyArray<string> =>
  all.flatMap(({ aliases = [], name }) => [name, ...aliases])

export const typeOf = ({ addedTypes = [] }: Pick<GatewaySettings, "addedTypes">, { type }: Provider): ProviderType => {
  const found = [...providerTypes, ...addedTypes.filter(isProviderType)].find(({ name }) => name === type)
  // Every provider was built by a type of this list, so this is a defect.
  if (found === undefined) throw new Error(`there is no provider type ${type}`)
  return found
}

const commonFields: ReadonlySet<string> = new Set([
  "preset",
  "type",
  "name",
  "required_scopes",
  "token_prefix",
  "facade",
  "stand_in_metadata"
])

export const isCommonField = (field: string): boolean => commonFields.has(field)

export const usesField = ({ fields, metadata }: ProviderType, field: ProviderFieldName): boolean =>
  field === "facade" || field === "stand_in_metadata"
    ? metadata !== undefined
    : isCommonField(field) || fields.includes(field)

export const typesUsing = (field: ProviderFieldName): ReadonlyArray<string> =>
  providerTypes.filter((type) => usesField(type, field)).map(({ name }) => name)
