import type { ProviderTypeName } from "../providers/types.ts"
import type { ProviderFields } from "./providers/providerFields.ts"
import type { FileKey, FormerName, Input, RenamedName, SettingName, VariableOnlyName } from "./settings.ts"

type FileName = Exclude<SettingName, VariableOnlyName | "MCP_PROVIDERS" | "MCP_PROVIDER_TYPE">

/** One provider of the gateway's own types: the fields that its type uses. */
export interface ProviderInput extends Omit<ProviderFields, "type"> {
  readonly type?: ProviderTypeName | undefined
}

type AddedInput<T> = T extends { readonly Input?: infer Input } ? Input : never

/**
 * Settings in TypeScript code: the members of the config file, typed.
 *
 * What is left out, or `undefined`, gets its default. Secrets may be `Redacted`. `Types` are provider types of your own, whose
 * providers may stand among the others.
 */
export type GatewayConfigInput<Types extends ReadonlyArray<unknown> = readonly []> =
  & { readonly [N in FileName as FileKey<N>]?: Input<N> | undefined }
  & { readonly [N in FileName & RenamedName as FileKey<FormerName<N>>]?: Input<N> | undefined }
  & {
    readonly provider_type?: ProviderTypeName | undefined
    readonly providers?: ReadonlyArray<ProviderInput | AddedInput<Types[number]>> | undefined
  }
