import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { noteSettings, perConfiguration } from "../config/perConfiguration.ts"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { InvalidToken, VerificationError } from "../errors/GatewayError.ts"
import { JwksCache } from "../keys/JwksCache.ts"
import type { UnusablePublicKey } from "../keys/publicKey.ts"
import type { Phase } from "../remote/remoteState.ts"
import { requireUnexpired } from "./claims/requireUnexpired.ts"
import type { ProviderReach } from "./opaque/providerRefusal.ts"
import { negativeMillis } from "./opaque/verdictLife.ts"
import { toInvalidToken } from "./Refusal.ts"
import { registerProvider, type RegistrationNeeds, remoteKeys } from "./registerProvider.ts"
import { makeSelectProvider } from "./selectProvider.ts"
import { makeStaticTokens } from "./staticTokens.ts"
import { holdingUntil, type Verdict } from "./Verdict.ts"

/** The provider that is responsible for a token, ready to judge it. */
export interface SelectedProvider {
  readonly name: string
  /** What it says; an `Exit` where nothing has to be waited for. */
  readonly verify: Effect.Effect<Verdict, VerificationError>
  /** For how long its refusals may be believed, in milliseconds; not at all where it is not given. */
  readonly refusalMillis?: number | undefined
}

/** Whether a provider can verify tokens now. */
export interface ProviderReadiness {
  readonly provider: string
  readonly ready: boolean
  /**
   * The phase of its keys; `ready` where none have to be fetched. Of a provider that is asked about tokens `unavailable`:
   * it cannot be; `refused`: it does not take our own credentials.
   */
  readonly state: Phase | ProviderReach
}

/** The configured providers, each with its verifier and apart from the others. */
export class ProviderRegistry extends Context.Service<ProviderRegistry, {
  /**
   * Chooses the provider by the shape of the token and the configuration: an exact static token, a configured prefix, the
   * issuer that a JWT names, the only provider of opaque tokens.
   *
   * Asks nobody. Fails with `InvalidToken` if no provider is responsible.
   */
  readonly select: (token: BearerToken) => Effect.Effect<SelectedProvider, InvalidToken>
  /**
   * Whether each provider can verify now: fetched keys must be at hand, and are asked for if they are not; one that is
   * asked about tokens must answer, and is probed, within limits. Providers that need neither are always ready.
   */
  readonly readiness: Effect.Effect<ReadonlyArray<ProviderReadiness>>
}>()("mcp-authorizer/verify/ProviderRegistry") {
  /**
   * Builds all verifiers and begins to fetch keys, without waiting for them.
   *
   * Fails with `UnusablePublicKey` if a configured public key is none.
   */
  static readonly make = Effect.fnUntraced(function*(
    settings: Pick<GatewaySettings, "providers" | "clockSkewSeconds">
  ): Effect.fn.Return<
    ProviderRegistry["Service"],
    UnusablePublicKey,
    RegistrationNeeds | Digest.Digest
  > {
    const { providers } = settings
    const keys = yield* JwksCache
    const remote = remoteKeys(providers)
    yield* Effect.forEach(remote, ({ source }) => keys.prefetch(source), { discard: true })

    const registered = yield* Effect.forEach(providers, (provider) => registerProvider(provider, settings))
    const selectProvider = makeSelectProvider(registered)
    const staticProviders = providers.filter((provider) => provider.type === "static")
    const findStaticToken = yield* makeStaticTokens(staticProviders)

    return ProviderRegistry.of({
      select: Effect.fnUntracedEager(function*(token) {
        const text = Redacted.value(token)
        const known = staticProviders.length === 0 ? undefined : yield* findStaticToken(text)
        if (known !== undefined) {
          return {
            name: known.provider,
            verify: Effect.as(requireUnexpired(known, 0, "the static token has expired"), {
              identity: known,
              holds: holdingUntil((known.expiresAt ?? Number.POSITIVE_INFINITY) * 1000)
            })
          }
        }
        const selected = selectProvider(text)
        if (Result.isFailure(selected)) return yield* Exit.fail(toInvalidToken(undefined, selected.failure))
        const selection = selected.success
        const { name } = selection.provider
        if (selection._tag === "Opaque") {
          return { name, verify: selection.provider.verify(token), refusalMillis: negativeMillis }
        }
        return {
          name,
          // What can be said at once is said when it is asked for.
          get verify() {
            return selection.provider.verify(selection.jws)
          }
        }
      }),
      readiness: Effect.forEach(
        providers,
        Effect.fnUntraced(function*({ name }): Effect.fn.Return<ProviderReadiness> {
          const own = remote.filter(({ provider }) => provider === name)
          if (own.length === 0) {
            const opaque = registered.find((provider) => provider.name === name)
            const state = opaque?._tag === "Opaque" ? yield* opaque.reach : "ready"
            return { provider: name, ready: state === "ready", state }
          }
          const phases = yield* Effect.forEach(own, ({ source }) => keys.phase(source))
          // Of several tenants one is enough: one in trouble is no reason to turn those of the others away.
          const best = phases.find(({ usable }) => usable) ?? phases[0]
          return { provider: name, ready: best?.usable ?? false, state: best?.phase ?? "unavailable" }
        }),
        { concurrency: "unbounded" }
      )
    })
  })

  static readonly layer = perConfiguration(Layer.effect(
    ProviderRegistry,
    Effect.flatMap(
      GatewayConfig,
      (settings) =>
        Effect.map(
          ProviderRegistry.make(settings),
          (registry) => noteSettings(registry, { providers: settings.providers })
        )
    )
  ))
}
