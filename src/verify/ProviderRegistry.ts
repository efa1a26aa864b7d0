import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewaySettings, Provider } from "../config/GatewaySettings.ts"
import { noteSettings, perConfiguration } from "../config/perConfiguration.ts"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { InvalidToken, VerificationError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { JwksCache } from "../keys/JwksCache.ts"
import type { KeySetState } from "../keys/keySetState.ts"
import type { UnusablePublicKey } from "../keys/publicKey.ts"
import { MeasureRequests } from "../metrics/MeasureRequests.ts"
import type { Readiness, Registration, RegistrationNeeds } from "../providers/ProviderType.ts"
import { typeOf } from "../providers/types.ts"
import { ProviderHttp } from "../remote/ProviderHttp.ts"
import type { ProviderMetadata } from "../remote/ProviderMetadata.ts"
import { requireUnexpired } from "./claims/requireUnexpired.ts"
import type { InspectedToken } from "./Inspection.ts"
import { inspectToken } from "./inspectToken.ts"
import type { ProviderKeys } from "./jwt/JwtVerifier.ts"
import { type ObservedKeys, observeKeys } from "./keyGauges.ts"
import { makeFindListedToken } from "./listedTokens.ts"
import { toInvalidToken } from "./Rejection.ts"
import { makeSelectProvider } from "./selectProvider.ts"
import type { Verdict } from "./Verdict.ts"

/**
 * Everything that a provider's verdicts depend on. A verdict of one configuration is valid in another one if this is equal
 * in both.
 */
export interface ProviderOrigin {
  readonly provider: Provider
  readonly clockSkewSeconds: number
  /** The hosts at which the provider may be requested, which also show who has configured its address. */
  readonly http: ProviderHttp["Service"]
}

/** The provider that is responsible for a token, with its verification. */
export interface SelectedProvider {
  readonly name: string
  /** If left out, verdicts are not taken over by another configuration. */
  readonly origin?: ProviderOrigin | undefined
  /** The keys that verdicts depend on, if any. */
  readonly keys?: ProviderKeys | undefined
  /** Verifies the token. An `Exit` if the verification need not wait. */
  readonly verify: Effect.Effect<Verdict, VerificationError>
  /** How long the provider's rejections are cached, in milliseconds. If left out, they are not cached. */
  readonly rejectionMillis?: number | undefined
  /** The provider verifies the token, so that replicas share the verdict. */
  readonly isOpaque?: boolean | undefined
}

/** Whether a provider can verify tokens now. */
export interface ProviderReadiness extends Readiness {
  readonly provider: string
}

/** The state of a provider, for operators. */
export interface ProviderState extends ProviderReadiness {
  /** Its key sets as they are cached. */
  readonly keySets: ReadonlyArray<KeySetState>
}

const severalServers = new Error(
  "the configuration has several servers, and providers are for one of them: use layerServers, or GatewayConfig of one server"
)

const readinessOf = (
  { name, readiness }: { readonly name: string } & Pick<Registration, "readiness">
): Effect.Effect<ProviderReadiness> =>
  readiness === undefined
    ? Effect.succeed({ provider: name, ready: true, state: "ready" })
    : Effect.map(readiness, (found) => ({ provider: name, ...found }))

const verifyListed = (identity: Identity): Effect.Effect<Verdict, InvalidToken> =>
  Effect.as(requireUnexpired(identity, 0, "the static token has expired"), {
    identity,
    validity: { until: (identity.expiresAt ?? Number.POSITIVE_INFINITY) * 1000, isLocal: true }
  })

/** Observes the keys of all providers where someone reads that. */
const observeAll = (providers: ReadonlyArray<ObservedKeys>) =>
  Effect.flatMap(
    MeasureRequests,
    (isOn) => isOn ? Effect.forEach(providers, observeKeys, { discard: true }) : Effect.void
  )

/** The configured providers, each with its own verifier. */
export class ProviderRegistry extends Context.Service<ProviderRegistry, {
  /**
   * Selects the provider by the shape of the token and the configuration: a listed static token, a configured prefix, the
   * issuer that a JWT names, the only provider of opaque tokens.
   *
   * Sends no request. Fails with `InvalidToken` if no provider is responsible.
   */
  readonly select: (token: BearerToken) => Effect.Effect<SelectedProvider, InvalidToken>
  /**
   * Whether each provider can verify tokens now. Keys that must be fetched have to be cached, and are fetched if they are
   * not; an endpoint that verifies tokens has to respond, and is probed at a limited rate. Other providers are always
   * ready.
   */
  readonly readiness: Effect.Effect<ReadonlyArray<ProviderReadiness>>
  /** The cached keys of each provider, for the metrics. Optional. */
  readonly observed?: ReadonlyArray<ObservedKeys> | undefined
  /** The same with the cached keys of each provider, for operators. Optional. */
  readonly states?: Effect.Effect<ReadonlyArray<ProviderState>> | undefined
  /**
   * Waits until the keys that must be fetched were fetched, or a fetch has failed; returns the providers that have no usable
   * keys then. Optional, for changing the configuration.
   */
  readonly warm?: Effect.Effect<ReadonlyArray<ProviderReadiness>> | undefined
  /**
   * Checks every rule about a token, for an operator who wants to know whether it is accepted, and why. Sends the same
   * requests as the verification, and requests the keys once more. Caches nothing. Optional.
   */
  readonly inspect?: ((token: BearerToken) => Effect.Effect<InspectedToken>) | undefined
}>()("mcp-authorizer/verify/ProviderRegistry") {
  /**
   * Builds all verifiers and starts to fetch keys, without waiting for them.
   *
   * Fails with `UnusablePublicKey` if a configured public key cannot be used.
   */
  static readonly make = Effect.fnUntraced(function*(
    settings: Pick<GatewaySettings, "addedTypes" | "clockSkewSeconds" | "providers">
  ): Effect.fn.Return<
    ProviderRegistry["Service"],
    UnusablePublicKey,
    RegistrationNeeds
  > {
    const http = yield* ProviderHttp
    const registered = yield* Effect.forEach(settings.providers, (provider) =>
      Effect.map(
        typeOf(settings, provider).register(provider, settings),
        (registration) => ({ ...registration, name: provider.name, tokenPrefix: provider.tokenPrefix })
      ))
    const origins = new Map(
      settings.providers.map((provider) => [
        provider.name,
        { provider, clockSkewSeconds: settings.clockSkewSeconds, http }
      ])
    )
    const keysOf = new Map(registered.map(({ keys, name }) => [name, keys]))
    const selectProvider = makeSelectProvider(registered)
    const listed = registered.flatMap((provider) => provider._tag === "Listed" ? provider.tokens : [])
    const findListedToken = yield* makeFindListedToken(listed)
    const findKnown = (text: string) => listed.length === 0 ? Effect.undefined : findListedToken(text)

    return ProviderRegistry.of({
      select: Effect.fnUntracedEager(function*(token) {
        const text = Redacted.value(token)
        const known = yield* findKnown(text)
        if (known !== undefined) {
          return { name: known.provider, verify: verifyListed(known) }
        }
        const selected = selectProvider(text)
        if (Result.isFailure(selected)) return yield* Exit.fail(toInvalidToken(undefined, selected.failure))
        const selection = selected.success
        const { name } = selection.provider
        const origin = origins.get(name)
        if (selection._tag === "Opaque") {
          const { rejectionMillis, verify } = selection.provider
          return { name, origin, verify: verify(token), rejectionMillis, isOpaque: true }
        }
        return {
          name,
          origin,
          keys: keysOf.get(name),
          // Evaluated on access, so that a verification that need not wait is an `Exit`.
          get verify() {
            return selection.provider.verify(selection.jws)
          }
        }
      }),
      readiness: Effect.forEach(registered, readinessOf, { concurrency: "unbounded" }),
      observed: registered.map(({ keySets, name }) => ({ keySets, name })),
      states: Effect.forEach(registered, (provider) =>
        Effect.zipWith(
          readinessOf(provider),
          provider.keySets ?? Effect.succeed([]),
          (readiness, keySets): ProviderState => ({ ...readiness, keySets })
        ), { concurrency: "unbounded" }),
      warm: Effect.map(
        Effect.forEach(registered, (provider) =>
          provider.warm === undefined
            ? Effect.succeed<ReadonlyArray<ProviderReadiness>>([])
            : Effect.map(
              Effect.andThen(provider.warm, readinessOf(provider)),
              (found) => found.ready ? [] : [found]
            ), { concurrency: "unbounded" }),
        (unready) => unready.flat()
      ),
      inspect: (token) =>
        Effect.flatMap(
          findKnown(Redacted.value(token)),
          (known) =>
            inspectToken(
              token,
              known && { identity: known, verify: verifyListed(known) },
              selectProvider(Redacted.value(token)),
              settings.clockSkewSeconds
            )
        )
    })
  })

  static readonly layer: Layer.Layer<
    ProviderRegistry,
    UnusablePublicKey,
    Digest.Digest | GatewayConfig | JwksCache | ProviderHttp | ProviderMetadata
  > = perConfiguration(Layer.effect(
    ProviderRegistry,
    Effect.flatMap(
      GatewayConfig,
      (settings) =>
        // Their audiences depend on the server that is called.
        settings.servers.length > 0 ? Effect.die(severalServers) : Effect.flatMap(
          ProviderRegistry.make(settings),
          (registry) =>
            Effect.as(
              observeAll(registry.observed ?? []),
              noteSettings(registry, { providers: settings.providers })
            )
        )
    )
  ))
}
