import type * as Digest from "effect/crypto/Digest"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { AddedType, GatewaySettings, JwsAlgorithm, Provider } from "../config/GatewaySettings.ts"
import type { FieldReader, GivenFields } from "../config/providers/FieldReader.ts"
import type { ProviderFieldName } from "../config/providers/providerFields.ts"
import type { ProviderContext } from "../config/providers/providerParts.ts"
import type { DocumentName } from "../config/sources/documentName.ts"
import type { Json } from "../identity/Json.ts"
import type { JwksCache } from "../keys/JwksCache.ts"
import type { JwksSource } from "../keys/JwksSource.ts"
import type { UnusablePublicKey } from "../keys/publicKey.ts"
import type { ProviderHttp } from "../remote/ProviderHttp.ts"
import type { MetadataSource, ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { Phase } from "../remote/remoteState.ts"
import type { ListedToken } from "../verify/listedTokens.ts"
import type { ProviderReach } from "../verify/opaque/providerRefusal.ts"
import type { Found } from "../verify/opaque/Reachability.ts"
import type { RegisteredJwtProvider, RegisteredOpaqueProvider } from "../verify/selectProvider.ts"
import type { AuthorizationServerMetadata } from "./AuthorizationServerMetadata.ts"

/** Which tokens belong to a provider, beside those with its prefix. */
export type OwnTokens =
  /** These and no others. */
  | { readonly _tag: "Listed"; readonly tokens: ReadonlyArray<Redacted.Redacted<string>> }
  /** JWTs with one of these as their `iss`. */
  | { readonly _tag: "JwtsOf"; readonly issuers: ReadonlyArray<string> }
  /** All tokens that are not JWTs of a configured issuer. */
  | { readonly _tag: "Opaque" }

/** What a provider is asked for, apart from real tokens: by readiness, and by `--check --online`. */
export type Asked =
  /** A key set that its tokens are verified with. */
  | {
    readonly _tag: "Keys"
    readonly source: JwksSource
    /** Keys for other algorithms are of no use. */
    readonly algorithms: ReadonlyArray<JwsAlgorithm>
    /** The document that clients need. */
    readonly metadata: MetadataSource
  }
  /** An endpoint that is asked about tokens. */
  | {
    readonly _tag: "Endpoint"
    readonly name: string
    /** What `--check --online` prints if it is well. */
    readonly good: string
    /** The settings that the gateway's own credentials come from. */
    readonly credentials?: string
    readonly probe: Effect.Effect<Found, never, ProviderHttp | ProviderMetadata>
  }

/** Whether a provider can verify tokens now. */
export interface Readiness {
  readonly ready: boolean
  /**
   * The phase of its keys; `ready` where none have to be fetched. Of a provider that is asked about tokens `unavailable`:
   * it cannot be; `refused`: it does not take our own credentials.
   */
  readonly state: Phase | ProviderReach
}

type Unnamed<P> = Omit<P, "name" | "tokenPrefix">

/** A provider that is ready to verify the tokens that are its own. */
export type Registration =
  & (
    | Unnamed<RegisteredJwtProvider>
    | Unnamed<RegisteredOpaqueProvider>
    | { readonly _tag: "Listed"; readonly tokens: ReadonlyArray<ListedToken> }
  )
  & {
    /** Always ready if left out. */
    readonly readiness?: Effect.Effect<Readiness> | undefined
  }

/** What verifiers depend on, beside their provider. */
export type RegistrationContext = Pick<GatewaySettings, "clockSkewSeconds">

/** The services that verifiers may use; the scope is that of all providers. */
export type RegistrationNeeds = JwksCache | ProviderHttp | ProviderMetadata | Digest.Digest | Scope.Scope

/**
 * A way to verify tokens, as `type` of a provider names it: its fields and all that follows from them.
 *
 * A type is one value in one file of this folder, and a member of the list in `types.ts`. Nothing else in the gateway
 * depends on which types there are. Programs that embed the gateway make theirs with `makeProviderType`, which leaves less to
 * decide.
 *
 * **Example** (the least that a type is made of)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { InvalidToken, type Provider, type ProviderType } from "mcp-authorizer"
 *
 * interface ClosedProvider extends Provider {
 *   readonly type: "closed"
 * }
 *
 * export const closed: ProviderType<ClosedProvider> = {
 *   name: "closed",
 *   fields: [],
 *   resolve: ({ read }) => ({
 *     type: "closed",
 *     name: read("name") ?? "closed",
 *     requiredScopes: read("required_scopes") ?? [],
 *     tokenPrefix: read("token_prefix"),
 *     allowedDomains: []
 *   }),
 *   describe: () => ({}),
 *   ownTokens: () => ({ _tag: "Opaque" }),
 *   register: ({ name }) =>
 *     Effect.succeed({
 *       _tag: "Opaque",
 *       verify: () => Effect.fail(new InvalidToken({ reason: "UnknownToken", provider: name, detail: "closed" }))
 *     })
 * }
 * ```
 */
export interface ProviderType<P extends Provider = Provider, out Input = unknown> extends AddedType {
  /** As `type` has it. */
  readonly name: string
  /** Other spellings of the name. */
  readonly aliases?: ReadonlyArray<string>
  /** The fields that it uses, beside those that every provider has. Other fields of an entry are errors. */
  readonly fields: ReadonlyArray<ProviderFieldName>
  /** Fields of its own that no setting has, by name. */
  readonly addedFields?: ReadonlyArray<string>
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
  /** What the provider is asked for. Left out by a type whose providers are never asked for anything. */
  asks?(provider: P): ReadonlyArray<Asked>
  /** Imports configured keys, because only that tells whether they are any. */
  checkKeys?(provider: P): Effect.Effect<void, UnusablePublicKey>
  /** Makes the verifier, without waiting for anything to be fetched. */
  register(
    provider: P,
    context: RegistrationContext
  ): Effect.Effect<Registration, UnusablePublicKey, RegistrationNeeds>
  /** A provider of this type in TypeScript code. Exists in the type only. */
  readonly Input?: Input
}

/** Says whether a type that settings carry is one: those of `GatewayConfig` carry nothing else. */
export const isProviderType = (type: AddedType): type is ProviderType => "register" in type && "resolve" in type

/** What warnings depend on, beside the provider. */
export interface WarningContext {
  readonly settings: GatewaySettings
  /** This is a development machine. */
  readonly development: boolean
}
