/** Caches that send requests, or return results, when they should not. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import { importJWK } from "jose"
import type { JwsAlgorithm } from "../../../src/config/GatewaySettings.ts"
import { JwksCache, KeysUnavailable, UnknownKey } from "../../../src/keys/JwksCache.ts"
import { placeOf } from "../../../src/keys/JwksSource.ts"
import { isJsonObject, own } from "../../../src/remote/JsonObject.ts"
import { kidOf, membersOf } from "./responseDefects.ts"
import { type Cache, type Defect, onCache, renamed } from "./wrapCache.ts"

const keySetUrl = "https://issuer.example/keys"

const importSecret = (member: unknown) =>
  Effect.tryPromise(() => {
    const secret = isJsonObject(member) ? own(member, "k") : undefined
    const bytes = new TextEncoder().encode(typeof secret === "string" ? secret : "")
    return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["verify"])
  })

const importAny = (member: unknown, alg: JwsAlgorithm) =>
  Effect.flatMap(
    Effect.tryPromise(() => importJWK(isJsonObject(member) ? { ...member } : {}, alg)),
    (key) => key instanceof Uint8Array ? Effect.fail("a secret") : Effect.succeed(key)
  )

/** Looks up once more, as if for the first time, if this is the result. */
const askingAgain = (tag: "UnknownKey" | "KeysUnavailable") =>
  onCache((inner) => {
    let count = 0
    return {
      keyFor: (source, header) =>
        Effect.catchIf(
          inner.keyFor(source, header),
          ({ _tag }) => _tag === tag,
          () => Effect.suspend(() => inner.keyFor(renamed(source, count++), header))
        )
    }
  })

/** Two caches that take turns. */
const twofold = Layer.effect(
  JwksCache,
  Effect.map(Effect.all([JwksCache.make, JwksCache.make]), ([first, second]) => {
    let turns = 0
    return JwksCache.of({ ...first, keyFor: (...question) => (turns++ % 2 === 0 ? first : second).keyFor(...question) })
  })
)

/** Caches the keys that it has returned, under the name from `name`, and returns them again `when` there are none. */
const remembering = (
  name: (...question: Parameters<Cache["keyFor"]>) => string,
  recall: (known: CryptoKey, keyFor: ReturnType<Cache["keyFor"]>) => ReturnType<Cache["keyFor"]>
) =>
  onCache((inner) => {
    const given = new Map<string, CryptoKey>()
    return {
      keyFor: (...question) => {
        const known = given.get(name(...question))
        const asked = Effect.tap(inner.keyFor(...question), (key) =>
          Effect.sync(() => {
            given.set(name(...question), key)
          }))
        return known === undefined ? asked : recall(known, asked)
      }
    }
  })

const byKid: Parameters<typeof remembering>[0] = (_, { kid }) => `${kid}`

/** Remembers the keys that it has given, and finds them again at once. */
const lookingUpBy = (name: (...question: Parameters<Cache["keyFor"]>) => string) =>
  onCache((inner) => {
    const given = new Map<string, CryptoKey>()
    return {
      keyFor: (...question) =>
        Effect.tap(inner.keyFor(...question), (key) => Effect.sync(() => given.set(name(...question), key))),
      peek: (...question) => given.get(name(...question))
    }
  })

/** Fails for ever once it has failed. */
const despairing = onCache((inner) => {
  let failure: KeysUnavailable | undefined
  return {
    keyFor: (...question) =>
      Effect.suspend(() =>
        failure === undefined
          ? Effect.tapError(inner.keyFor(...question), (error) =>
            Effect.sync(() => {
              if (error._tag === "KeysUnavailable") failure = error
            }))
          : Effect.fail(failure)
      )
  }
})

/** Gives what it has given before, from the first outage on. */
const shaken = onCache((inner) => {
  const given = new Map<string, CryptoKey>()
  let hadOutage = false
  return {
    keyFor: (source, header) =>
      Effect.suspend(() => {
        const known = given.get(header.kid ?? "")
        if (hadOutage && known !== undefined) return Effect.succeed(known)
        return inner.keyFor(source, header).pipe(
          Effect.tap((key) => Effect.sync(() => given.set(header.kid ?? "", key))),
          Effect.tapErrorTag("KeysUnavailable", () =>
            Effect.sync(() => {
              hadOutage = true
            }))
        )
      })
  }
})

export const cacheDefects: ReadonlyArray<Defect> = [
  ["keeps after an outage what was only meant for it (JWKS-21)", ["KEYS-15"], shaken],
  ["GHSA-fhv5-28vv-h8m8 JWKS-01 fetches for each unknown key id", ["KEYS-01"], askingAgain("UnknownKey")],
  ["JWKS-02 asks a failing provider for each token", ["KEYS-02"], askingAgain("KeysUnavailable")],
  ["JWKS-03 lets each caller fetch", ["KEYS-03"], twofold],
  [
    "JWKS-21 serves stale keys for ever",
    ["KEYS-13"],
    remembering(byKid, (known, asked) => Effect.catchTag(asked, "KeysUnavailable", () => Effect.succeed(known)))
  ],
  ["JWKS-22 serves keys that it has seen for ever", ["KEYS-11", "KEYS-12"], remembering(byKid, Effect.succeed)],
  [
    "CVE-2025-59936 JWKS-25 names keys by issuer and key id in one string",
    ["KEYS-42"],
    remembering(
      (source, { kid }) => `${source._tag === "Jwks" ? source.uri : `${source.issuer}/keys`}${kid}`,
      Effect.succeed
    )
  ],
  ["JWKS-04 never recovers from a failure", ["KEYS-20"], despairing],
  [
    "JWKS-06 requests the provider before each result",
    ["KEYS-04", "KEYS-23"],
    onCache((inner, { http }) => ({
      keyFor: (source, header) =>
        Effect.andThen(
          Effect.ignore(http.send({ url: keySetUrl, allowedDomains: [] })),
          inner.keyFor(source, header)
        )
    }))
  ],
  [
    "CVE-2025-64527 JWKS-04 dies when there are no keys",
    ["KEYS-24"],
    onCache((inner) => ({
      keyFor: (...question) =>
        Effect.catchTag(inner.keyFor(...question), "KeysUnavailable", (error) => Effect.die(error))
    }))
  ],
  [
    "JWKS-02 blames the caller when the provider is down",
    ["KEYS-25"],
    onCache((inner) => ({
      keyFor: (...question) =>
        Effect.catchTag(
          inner.keyFor(...question),
          "KeysUnavailable",
          ({ detail }) => Effect.fail(new UnknownKey({ detail }))
        )
    }))
  ],
  [
    "DISC-05 is always ready",
    ["KEYS-26"],
    onCache(() => ({ phase: () => Effect.succeed({ phase: "fresh", usable: true }) }))
  ],
  [
    "JWKS-28 needs its store",
    ["KEYS-27"],
    onCache((inner, { store }) => ({
      keyFor: (...question) =>
        Effect.suspend(() => store.get(`jwks:${keySetUrl}`)).pipe(
          Effect.mapError(({ message }) => new KeysUnavailable({ detail: message })),
          Effect.andThen(inner.keyFor(...question))
        )
    }))
  ],
  [
    "takes one key under two ids for two",
    ["KEYS-35"],
    onCache((inner, { http }) => ({
      keyFor: (source, header) =>
        header.kid === undefined
          ? Effect.andThen(
            Effect.filterOrFail(
              Effect.orDie(http.send({ url: keySetUrl, allowedDomains: [] })),
              (response) => membersOf(response).length < 2,
              () => new UnknownKey({ detail: "several" })
            ),
            inner.keyFor(source, header)
          )
          : inner.keyFor(source, header)
    }))
  ],
  [
    "JWKS-12 JWKS-13 trusts every key that the runtime imports",
    ["KEYS-30"],
    onCache((inner, { http }) => ({
      keyFor: (source, header) =>
        Effect.catchTag(
          inner.keyFor(source, header),
          "UnknownKey",
          (unknown) =>
            http.send({ url: keySetUrl, allowedDomains: [] }).pipe(
              Effect.flatMap((response) =>
                importAny(membersOf(response).find((member) => kidOf(member) === header.kid), header.alg)
              ),
              Effect.mapError(() => unknown)
            )
        )
    }))
  ],
  [
    "JWKS-11 takes symmetric keys, which others can sign with",
    ["KEYS-30"],
    onCache((inner, { http }) => ({
      keyFor: (source, header) =>
        Effect.catchTag(
          inner.keyFor(source, header),
          "UnknownKey",
          (unknown) =>
            http.send({ url: keySetUrl, allowedDomains: [] }).pipe(
              Effect.map((response) => membersOf(response).find((member) => kidOf(member) === header.kid)),
              Effect.flatMap((member) => importSecret(member)),
              Effect.mapError(() => unknown)
            )
        )
    }))
  ],
  [
    "JWKS-06 waits for a prefetch",
    ["KEYS-06"],
    onCache((inner) => ({
      prefetch: (source) => Effect.ignore(inner.keyFor(source, { alg: "ES256", kid: undefined }))
    }))
  ],
  [
    "JWKS-22 looks up at once what it has given once, for ever",
    ["KEYS-11", "KEYS-12"],
    lookingUpBy((source, { kid }) => `${placeOf(source)} ${kid}`)
  ],
  [
    "CVE-2025-59936 JWKS-25 looks keys up by their ids alone",
    ["KEYS-42"],
    lookingUpBy((_, { kid }) => `${kid}`)
  ],
  [
    "fetches for one source after the other",
    ["KEYS-43"],
    onCache((inner) => {
      const door = Semaphore.makeUnsafe(1)
      return { peek: undefined, keyFor: (...question) => door.withPermits(1)(inner.keyFor(...question)) }
    })
  ]
]
