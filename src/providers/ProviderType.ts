import type * as Redacted from "effect/Redacted"
import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import type { Json } from "../config/Json.ts"
import type { FieldReader, GivenFields } from "../config/providers/FieldReader.ts"
import type { ProviderFieldName } from "../config/providers/providerFields.ts"
import type { ProviderContext } from "../config/providers/providerParts.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import type { AuthorizationServerMetadata } from "./AuthorizationServerMetadata.ts"

/** Which tokens belong to a provider, beside those with its prefix. */
export type OwnTokens =
  /** These and no others. */
  | { readonly _tag: "Listed"; readonly tokens: ReadonlyArray<Redacted.Redacted<string>> }
  /** JWTs with one of these as their `iss`. */
  | { readonly _tag: "JwtsOf"; readonly issuers: ReadonlyArray<string> }
  /** All tokens that are not JWTs of a configured issuer. */
  | { readonly _tag: "Opaque" }

/**
 * A way to verify tokens, as `type` of a provider names it: its fields and all that follows from them.
 *
 * A type is one value in one file of this folder, and a member of the list in `types.ts`. Nothing else in the gateway
 * depends on which types there are.
 */
export interface ProviderType<P extends Provider = Provider> {
  /** As `type` has it. */
  readonly name: string
  /** Other spellings of the name. */
  readonly aliases?: ReadonlyArray<string>
  /** The fields that it uses, beside those that every provider has. Other fields of an entry are errors. */
  readonly fields: ReadonlyArray<ProviderFieldName>
  /** Fields of which one alone says that a provider is configured, in settings that describe a single one. */
  readonly identifiedBy?: ReadonlyArray<ProviderFieldName>
  /** Says whether an entry without `type` is meant for this type. The first type in the list that says so gets it. */
  readonly isMeantBy?: (given: GivenFields) => boolean
  /** Makes the provider of its fields; `undefined` after reporting everything that is wrong with them. */
  readonly resolve: (fields: FieldReader, context: ProviderContext) => P | undefined

  // Methods, for their variance: a provider is only ever given to its own type.

  /** Its members in the output of `--check`, in the terms of the config file, without secrets. */
  describe(provider: P): { readonly [member: string]: Json }
  /** What is allowed but unwise, one or two sentences each, for the log at start. */
  warnings?(provider: P, context: WarningContext): ReadonlyArray<string>
  /** Which tokens are its own. */
  ownTokens(provider: P): OwnTokens
  /** The issuers that clients can ask for a token, the best one first: `authorization_servers`. None if left out. */
  advertisedIssuers?(provider: P): ReadonlyArray<string>
  /** Where clients find the metadata of its authorization server. Called only if it advertises an issuer. */
  metadata?(provider: P, name: DocumentName): AuthorizationServerMetadata
}

/** What warnings depend on, beside the provider. */
export interface WarningContext {
  readonly settings: GatewaySettings
  /** This is a development machine. */
  readonly development: boolean
}
