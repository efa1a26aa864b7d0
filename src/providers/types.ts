/** The provider types: the only place that names them all. */
import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import type { ProviderFieldName } from "../config/providers/providerFields.ts"
import { authkit } from "./authkit.ts"
import { introspection } from "./introspection.ts"
import { oidc } from "./oidc.ts"
import { isProviderType, type ProviderType } from "./ProviderType.ts"
import { staticTokens } from "./static.ts"
import { userinfo } from "./userinfo.ts"

const types = [authkit, oidc, staticTokens, userinfo, introspection] as const

/** The gateway's own types, in the order in which an entry without `type` is given to one, and of the reference. */
export const providerTypes: ReadonlyArray<ProviderType> = types

type ProviderOf<T> = T extends ProviderType<infer P> ? P : never

/** A provider of one of the gateway's own types, told apart by `type`. */
export type OwnProvider = ProviderOf<(typeof types)[number]>

/** What `type` of a provider may be; `jwt` means `oidc`. */
export type ProviderTypeName = OwnProvider["type"] | "jwt"

/** All spellings of the names of types. */
export const typeNames = (all: ReadonlyArray<ProviderType>): ReadonlyArray<string> =>
  all.flatMap(({ aliases = [], name }) => [name, ...aliases])

/** The type of a configured provider. */
export const typeOf = ({ addedTypes = [] }: Pick<GatewaySettings, "addedTypes">, { type }: Provider): ProviderType => {
  const found = [...providerTypes, ...addedTypes.filter(isProviderType)].find(({ name }) => name === type)
  // Providers are made by their types.
  if (found === undefined) throw new Error(`there is no provider type ${type}`)
  return found
}

const commonFields: ReadonlySet<string> = new Set(["type", "name", "required_scopes", "token_prefix"])

/** Says whether every provider has a field. */
export const isCommonField = (field: string): boolean => commonFields.has(field)

/** Says whether a type uses a field. */
export const usesField = ({ fields }: ProviderType, field: ProviderFieldName): boolean =>
  isCommonField(field) || fields.includes(field)

/** The types that use a field, by name. */
export const typesUsing = (field: ProviderFieldName): ReadonlyArray<string> =>
  providerTypes.filter((type) => usesField(type, field)).map(({ name }) => name)
