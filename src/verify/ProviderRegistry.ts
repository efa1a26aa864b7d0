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
 * Everything that a provider's verdicts depend on. If it is equal in two configurations, each can use the other's
 * verdicts.
 */
export interface ProviderOrigin {
  readonly provider: Provider
  readonly clockSkewSeconds: number
  /**
   * The client for the hosts that the provider may be requested at. It also shows which setting each host comes from.
   */
  readonly http: ProviderHttp["Service"]
}

/** The provider that is responsible for a token, and its verification. */
export interface SelectedProvider {
  readonly name: string
  /** If left out, other configurations do not take over the provider's verdicts. */
  readonly origin?: ProviderOrigin | undefined
  /** The keys that verdicts depend on, if any. */
  readonly keys?: ProviderKeys | undefined
  /** Verifies the token. Is an `Exit` if nothing has to be waited for. */
  readonly verify: Effect.Effect<Verdict, VerificationError>
  /** How long the provider's rejections are cached, in milliseconds. If left out, they are not cached. */
  readonly rejectionMillis?: number | undefined
  /** Whether the provider itself verifies the token by a request, so that replicas share the verdict. */
  readonly isOpaque?: boolean | undefined
}

/** Whether a provider can verify tokens now. */
export interface ProviderReadiness extends Readiness {
  readonly provider: string
}

/** The state of a provider, for operators. */
export interface ProviderState extends ProviderReadiness {
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

/** Records metrics of the keys of all providers, if metrics are read. */
const observeAll = (providers: ReadonlyArray<ObservedKeys>) =>
  Effect.flatMap(
    MeasureRequests,
    (isOn) => isOn ? Effect.forEach(providers, observeKeys, { discard: true }) : Effect.void
  )

/** The configured providers, each with its own verifier. */
export class ProviderRegistry extends Context.Service<ProviderRegistry, {
  /**
   * Selects the provider that is responsible for a token: the one that lists it as a static token, that has its prefix,
   * whose issuer the JWT names, or the only provider of opaque tokens.
   *
   * Sends no request. Fails with `InvalidToken` if no provider is responsible.
   */
  readonly select: (token: BearerToken) => Effect.Effect<SelectedProvider, InvalidToken>
  /**
   * Whether each provider can verify tokens now. Keys that must be fetched count as ready if they are cached, and are
   * fetched if they are not. An endpoint that verifies tokens must respond, and is probed at a limited rate. Other
   * providers are always ready.
   */
  readonly readiness: Effect.Effect<ReadonlyArray<ProviderReadiness>>
  /** The cached keys of each provider, for the metrics. Optional. */
  readonly observed?: ReadonlyArray<ObservedKeys> | undefined
  /** Readiness, with the cached keys of each provider, for operators. Optional. */
  readonly states?: Effect.Effect<ReadonlyArray<ProviderState>> | undefined
  /**
   * Waits until every key fetch has succeeded or failed; returns the providers that then have no usable keys. Optional,
   * for changing the configuration.
   */
  readonly warm?: Effect.Effect<ReadonlyArray<ProviderReadiness>> | undefined
  /**
   * Checks every rule about a token, for an operator who wants to know why it is accepted or rejected. Sends the same
   * requests as the verification, and fetches the keys once more. Caches nothing. Optional.
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
          // A getter, so that the verification runs on access: it is then an `Exit` if nothing has to be waited for.
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
        // Audiences depend on the server that is called, so several servers need several registries.
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
