import type { ProviderInput } from "./providers/providerFields.ts"
import type { FileKey, FormerName, Input, RenamedName, SettingName, VariableOnlyName } from "./settings.ts"

type FileName = Exclude<SettingName, VariableOnlyName | "MCP_PROVIDERS">

/**
 * Settings in TypeScript code: the members of the config file, typed.
 *
 * What is left out, or `undefined`, gets its default. Secrets may be `Redacted`.
 */
export type GatewayConfigInput =
  & { readonly [N in FileName as FileKey<N>]?: Input<N> | undefined }
  & { readonly [N in FileName & RenamedName as FileKey<FormerName<N>>]?: Input<N> | undefined }
  & { readonly providers?: ReadonlyArray<ProviderInput> | undefined }
