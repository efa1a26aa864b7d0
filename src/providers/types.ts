/** The provider types: the only place that names them all. */
import type { Provider } from "../config/GatewaySettings.ts"
import type { ProviderFieldName } from "../config/providers/providerFields.ts"
import { authkit } from "./authkit.ts"
import { introspection } from "./introspection.ts"
import { oidc } from "./oidc.ts"
import type { ProviderType } from "./ProviderType.ts"
import { staticTokens } from "./static.ts"
import { userinfo } from "./userinfo.ts"

/** In the order in which an entry without `type` is given to one, and in which the reference names them. */
export const providerTypes: ReadonlyArray<ProviderType> = [authkit, oidc, staticTokens, userinfo, introspection]

/** The type of a configured provider. */
export const typeOf = ({ type }: Provider): ProviderType => {
  const found = providerTypes.find(({ name }) => name === type)
  // Providers are made by their types.
  if (found === undefined) throw new Error(`there is no provider type ${type}`)
  return found
}

const usedByAll: ReadonlySet<ProviderFieldName> = new Set<ProviderFieldName>([
  "type",
  "name",
  "required_scopes",
  "token_prefix"
])

/** Says whether a type uses a field. */
export const usesField = ({ fields }: ProviderType, field: ProviderFieldName): boolean =>
  usedByAll.has(field) || fields.includes(field)

/** The types that use a field, by name. */
export const typesUsing = (field: ProviderFieldName): ReadonlyArray<string> =>
  providerTypes.filter((type) => usesField(type, field)).map(({ name }) => name)
