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
import type { KeySetState } from "../keys/keySetState.ts"
import type { UnusablePublicKey } from "../keys/publicKey.ts"
import type { ProviderHttp } from "../remote/ProviderHttp.ts"
import type { MetadataSource, ProviderMetadata } from "../remote/ProviderMetadata.ts"
import type { Phase } from "../remote/remoteState.ts"
import type { ProviderKeys } from "../verify/jwt/JwtVerifier.ts"
import type { ListedToken } from "../verify/listedTokens.ts"
import type { ProviderReach } from "../verify/opaque/providerRejection.ts"
import type { Found } from "../verify/opaque/Reachability.ts"
import type { RegisteredJwtProvider, RegisteredOpaqueProvider } from "../verify/selectProvider.ts"
import type { AuthorizationServerMetadata } from "./AuthorizationServerMetadata.ts"

/** The tokens that a provider verifies, in addition to those with its prefix. */
export type OwnTokens =
  | { readonly _tag: "Listed"; readonly tokens: ReadonlyArray<Redacted.Redacted<string>> }
  /** JWTs whose `iss` is one of these issuers. */
  | { readonly _tag: "JwtsOf"; readonly issuers: ReadonlyArray<string> }
  /** All tokens that are not JWTs of a configured issuer. */
  | { readonly _tag: "Opaque" }

/** A request that readiness and `--check --online` send to a provider, with a made-up token at most. */
export type OnlineCheck =
  /** The key set that verifies the provider's tokens. */
  | {
    readonly _tag: "Keys"
    readonly source: JwksSource
    /** Only keys for these algorithms are usable. */
    readonly algorithms: ReadonlyArray<JwsAlgorithm>
    /** The metadata document that clients need. */
    readonly metadata: MetadataSource
  }
  /** An endpoint that verifies tokens. */
  | {
    readonly _tag: "Endpoint"
    readonly name: string
    /** What `--check --online` prints when the endpoint works. */
    readonly good: string
    /** The settings that contain the gateway's own credentials. */
    readonly credentials?: string
    readonly probe: Effect.Effect<Found, never, ProviderHttp | ProviderMetadata>
  }

/** Whether a provider can verify tokens now. */
export interface Readiness {
  readonly ready: boolean
  /**
   * The phase of the provider's keys, or `ready` if no keys are fetched. For an endpoint that verifies tokens,
   * `unavailable` if it does not respond, and `refused` if it rejects the gateway's own credentials.
   */
  readonly state: Phase | ProviderReach
}

type Unnamed<P> = Omit<P, "name" | "tokenPrefix">

/** A provider that is ready to verify its tokens. */
export type Registration =
  & (
    | Unnamed<RegisteredJwtProvider>
    | Unnamed<RegisteredOpaqueProvider>
    | { readonly _tag: "Listed"; readonly tokens: ReadonlyArray<ListedToken> }
  )
  & {
    /** If left out, the provider is always ready. */
    readonly readiness?: Effect.Effect<Readiness> | undefined
    /** The key sets of the provider as they are cached, for operators. Left out by types without any. */
    readonly keySets?: Effect.Effect<ReadonlyArray<KeySetState>> | undefined
    /** Waits until every key fetch has succeeded or failed. Left out by types that fetch no keys. */
    readonly warm?: Effect.Effect<void> | undefined
    /** The keys that verify the tokens, if verdicts depend on them. */
    readonly keys?: ProviderKeys | undefined
  }

/** The settings that verifiers depend on, in addition to their provider. */
export type RegistrationContext = Pick<GatewaySettings, "clockSkewSeconds">

/** The services that verifiers may use. The scope stays open as long as the providers are in use. */
export type RegistrationNeeds = JwksCache | ProviderHttp | ProviderMetadata | Digest.Digest | Scope.Scope

/**
 * A provider type: its name in `type`, and the fields, settings, warnings, metadata and verifier of its providers.
 *
 * A type is one value in one file of this folder, and an entry of the list in `types.ts`. No other code of the gateway
 * depends on which types exist. To embed the gateway with a type of your own, use `makeProviderType`, which is simpler.
 *
 * **Example** (a minimal type)
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
  /** The value of `type` in the settings. */
  readonly name: string
  /** Other accepted spellings of the name. */
  readonly aliases?: ReadonlyArray<string>
  /** The fields that this type uses, in addition to the common ones. Any other field in an entry is an error. */
  readonly fields: ReadonlyArray<ProviderFieldName>
  /** Names of fields that only this type has, and that are not in the settings table. */
  readonly addedFields?: ReadonlyArray<string>
  /** Fields that identify a provider of this type on their own, in settings that describe a single provider. */
  readonly identifiedBy?: ReadonlyArray<ProviderFieldName>
  /**
   * Whether providers of this type are for development only. With them alone, no warnings about production are logged.
   */
  readonly forDevelopment?: boolean
  /** Whether an entry without `type` is of this type. The first type in the list that returns `true` gets the entry. */
  readonly isMeantBy?: (given: GivenFields) => boolean
  /** Builds the provider from its fields. Reports every problem and then returns `undefined` if a field is wrong. */
  readonly resolve: (fields: FieldReader, context: ProviderContext) => P | undefined

  // Methods, not properties, so that a list may hold types of different providers: a provider is only passed to its own
  // type.

  /**
   * Returns the provider for one of several MCP servers, with the audience `auto` replaced by the server's resource
   * identifier; `undefined` if that identifier is needed but unknown. Left out by types that have no audience.
   */
  forResource?(provider: P, resource: string | undefined): P | undefined
  /** The provider's members in the output of `--check`, in the terms of the config file, without secrets. */
  describe(provider: P): { readonly [member: string]: Json }
  /** Warnings about settings that are valid but unwise, one or two sentences each, for the log at start. */
  warnings?(provider: P, context: WarningContext): ReadonlyArray<string>
  ownTokens(provider: P): OwnTokens
  /** The issuers that clients can get a token from, preferred one first: `authorization_servers`. None if left out. */
  advertisedIssuers?(provider: P): ReadonlyArray<string>
  /** The source of the authorization server's metadata. Called only if the provider advertises an issuer. */
  metadata?(provider: P, name: DocumentName): AuthorizationServerMetadata
  /** The requests that check whether the provider works. Left out by types that send no such request. */
  onlineChecks?(provider: P): ReadonlyArray<OnlineCheck>
  /** Imports the configured keys: only an import shows whether a key is valid. */
  checkKeys?(provider: P): Effect.Effect<void, UnusablePublicKey>
  /** Builds the verifier, without waiting for any fetch. */
  register(
    provider: P,
    context: RegistrationContext
  ): Effect.Effect<Registration, UnusablePublicKey, RegistrationNeeds>
  /** The type of the provider's entry in TypeScript settings. Never has a value. */
  readonly Input?: Input
}

/** Whether a type in the settings is a `ProviderType`. All types in the settings that `GatewayConfig` builds are. */
export const isProviderType = (type: AddedType): type is ProviderType => "register" in type && "resolve" in type

/** What warnings depend on, in addition to the provider. */
export interface WarningContext {
  readonly settings: GatewaySettings
  readonly development: boolean
}
