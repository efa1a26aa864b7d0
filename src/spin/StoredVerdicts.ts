/**
 * What providers said about opaque tokens, in the host's key-value store.
 *
 * Entry `verdict:<slot>` or `refusal:<slot>`: `{"digest", "until", …}`, the digest that of the token and of its provider's
 * settings, never the token; the slot a part of the digest, so that there is a bounded number of entries.
 */
import * as Clock from "effect/Clock"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import type { Provider } from "../config/GatewaySettings.ts"
import type { BearerToken } from "../credential/BearerToken.ts"
import { InvalidToken, invalidTokenReasons, type VerificationError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import { requireUnexpired } from "../verify/claims/requireUnexpired.ts"
import { endPassed, maxPositiveMillis, negativeMillis } from "../verify/opaque/verdictLife.ts"
import { ProviderRegistry } from "../verify/ProviderRegistry.ts"
import { TokenVerifier } from "../verify/TokenVerifier.ts"

/** Hexadecimal digits of the digest: 4096 entries of each kind. */
const slotLength = 3

const Accepted = Schema.Struct({
  digest: Schema.String,
  until: Schema.Finite,
  identity: Schema.Struct({
    subject: Schema.NonEmptyString,
    clientId: Schema.optionalKey(Schema.String),
    issuer: Schema.String,
    scopes: Schema.Array(Schema.String),
    email: Schema.optionalKey(Schema.String),
    name: Schema.optionalKey(Schema.String),
    expiresAt: Schema.optionalKey(Schema.Finite),
    claims: Schema.Record(Schema.String, Schema.Unknown)
  })
})

const Refused = Schema.Struct({
  digest: Schema.String,
  until: Schema.Finite,
  reason: Schema.Literals(invalidTokenReasons)
})

const decodeAccepted = Schema.decodeUnknownOption(Schema.fromJsonString(Accepted))
const decodeRefused = Schema.decodeUnknownOption(Schema.fromJsonString(Refused))

const encoder = new TextEncoder()

const isOpaque = (provider: Provider): boolean => provider.type === "userinfo" || provider.type === "introspection"

const make = Effect.gen(function*() {
  const verifier = yield* TokenVerifier
  const registry = yield* ProviderRegistry
  const store = yield* KeyValueStore.KeyValueStore
  const { digestHex } = yield* Digest.Digest
  const { clockSkewSeconds, providers } = yield* GatewayConfig
  const opaque = new Map(providers.filter(isOpaque).map((provider) => [provider.name, provider]))

  // Without the store everything is asked anew, and the store itself says why in the log.
  const read = (entry: string) => Effect.catch(store.get(entry), () => Effect.undefined)
  const write = (entry: string, value: object) => Effect.ignore(store.set(entry, JSON.stringify(value)))

  const recall = Effect.fnUntraced(function*(provider: string, digest: string, now: number) {
    const slot = digest.slice(0, slotLength)
    const isThis = (entry: { readonly digest: string; readonly until: number }) =>
      entry.digest === digest && now < entry.until
    const accepted = Option.filter(decodeAccepted(yield* read(`verdict:${slot}`)), isThis)
    if (Option.isSome(accepted)) {
      const { clientId, email, expiresAt, name, ...rest } = accepted.value.identity
      const identity: Identity = { ...rest, provider, clientId, email, expiresAt, name }
      return yield* requireUnexpired(identity, clockSkewSeconds, endPassed)
    }
    const refused = Option.filter(decodeRefused(yield* read(`refusal:${slot}`)), isThis)
    return Option.isSome(refused)
      ? yield* new InvalidToken({ provider, reason: refused.value.reason, detail: "refused a moment ago" })
      : undefined
  })

  const ask = (token: BearerToken, digest: string, now: number) => {
    const slot = digest.slice(0, slotLength)
    return verifier.verify(token).pipe(
      Effect.tap((known) => {
        const { provider: _, ...identity } = known
        const life = identity.expiresAt === undefined ? maxPositiveMillis : identity.expiresAt * 1000 - now
        return write(`verdict:${slot}`, { digest, until: now + Math.min(life, maxPositiveMillis), identity })
      }),
      Effect.tapErrorTag(
        "InvalidToken",
        ({ reason }) => write(`refusal:${slot}`, { digest, until: now + negativeMillis, reason })
      )
    )
  }

  return TokenVerifier.of({
    verify: Effect.fnUntraced(function*(token): Effect.fn.Return<Identity, VerificationError> {
      if (opaque.size === 0) return yield* verifier.verify(token)
      const provider = opaque.get((yield* registry.select(token)).name)
      if (provider === undefined) return yield* verifier.verify(token)
      const now = yield* Clock.currentTimeMillis
      // A verdict belongs to the settings that it was made with; secrets are left out of them here.
      const subject = JSON.stringify([provider, clockSkewSeconds, Redacted.value(token)])
      const digest = yield* digestHex(Digest.sha256, encoder.encode(subject))
      return (yield* recall(provider.name, digest, now)) ?? (yield* ask(token, digest, now))
    })
  })
})

/**
 * Remembers over instances what providers of opaque tokens say, by the rules that one process has on Node: a yes until the
 * token ends, for 5 minutes at most, its end judged anew each time; a no for 10 seconds.
 *
 * Around the verifier that it is provided with, which judges all other tokens alone.
 */
export const layer = Layer.effect(TokenVerifier, make)
