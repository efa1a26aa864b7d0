/** Verifiers of ours with something wrong around them. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import type { JsonWebKey } from "node:crypto"
import { InvalidToken, ProviderUnavailable, type VerificationError } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import type { Issuer } from "../../src/issuer/Issuer.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { isJsonObject } from "../../src/remote/JsonObject.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { introspectionProvider } from "../fixtures/providers.ts"
import { jwkToKey, type Steps, verifyEs256 } from "./handMadeVerifier.ts"
import { gatewayVerifier, jwtVerifier } from "./ourVerifiers.ts"

type Verify = TokenVerifier["Service"]["verify"]

export const gateway = jwtVerifier({ algorithms: ["ES256"] })

export const introspected = gatewayVerifier((issuer) => [introspectionProvider(issuer)])

export const around = <E, R>(inner: Layer.Layer<TokenVerifier, E, R>, change: (verify: Verify) => Verify) =>
  Layer.effect(TokenVerifier, Effect.map(TokenVerifier, ({ verify }) => ({ verify: change(verify) }))).pipe(
    Layer.provide(inner)
  )

type Inner = typeof gateway

const rejected = (detail: string) => new InvalidToken({ provider: undefined, reason: "ValidationFailed", detail })

/** Remembers every identity for ever, by a part of the token. */
export const rememberingBy = (keyOf: (token: string) => string, inner: Inner = gateway) =>
  around(inner, (verify) => {
    const known = new Map<string, Identity>()
    return (token) => {
      const key = keyOf(Redacted.value(token))
      const identity = known.get(key)
      return identity === undefined
        ? Effect.tap(verify(token), (verified) => Effect.sync(() => known.set(key, verified)))
        : Effect.succeed(identity)
    }
  })

/** Knows for ever whom it has verified once, by a part of the token, and verifies well. */
export const knowingBy = (keyOf: (token: string) => string, inner: Inner = gateway) =>
  Layer.effect(
    TokenVerifier,
    Effect.map(TokenVerifier, ({ verify }) => {
      const identities = new Map<string, Identity>()
      return {
        verify: (token) =>
          Effect.tap(verify(token), (identity) =>
            Effect.sync(() => identities.set(keyOf(Redacted.value(token)), identity))),
        peek: (token) =>
          identities.get(keyOf(token))
      }
    })
  ).pipe(Layer.provide(inner))

/** Keeps the token of a request where the next request overwrites it. */
export const confusing = (inner: Inner) =>
  around(inner, (verify) => {
    let current: Parameters<Verify>[0] | undefined
    return (token) =>
      Effect.gen(function*() {
        current = token
        yield* Effect.yieldNow
        return yield* verify(current)
      })
  })

/** Takes a second look at a token for a replay. */
export const oneTime = (inner: Inner) =>
  around(inner, (verify) => {
    const seen = new Set<string>()
    return (token) =>
      Effect.suspend(() => {
        const text = Redacted.value(token)
        if (seen.has(text)) return Effect.fail(rejected("seen before"))
        seen.add(text)
        return verify(token)
      })
  })

export const blaming = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.catchTag(verify(token), "ProviderUnavailable", ({ detail }) => Effect.fail(rejected(detail)))
  )

export const dying = (inner: Inner) =>
  around(inner, (verify) => (token) => Effect.catchTag(verify(token), "InvalidToken", (error) => Effect.die(error)))

/** Uses the provider's last response for every token while the provider does not respond. */
export const trusting = (inner: Inner) =>
  around(inner, (verify) => {
    let last: Identity | undefined
    return (token) =>
      verify(token).pipe(
        Effect.tap((identity) =>
          Effect.sync(() => {
            last = identity
          })
        ),
        Effect.catchTag(
          "ProviderUnavailable",
          (error) => last === undefined ? Effect.fail(error) : Effect.succeed(last)
        )
      )
  })

export const telling = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.catchTag(verify(token), "InvalidToken", () =>
        Effect.fail(rejected(`no such token: ${Redacted.value(token)}`)))
  )

export const logging = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) => Effect.andThen(Effect.logDebug("verifying", Redacted.value(token)), verify(token))
  )

export const granting = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.map(verify(token), (identity) => ({ ...identity, scopes: [...identity.scopes, "admin"] }))
  )

/** A verifier whose keys are gone while the provider is down: then every token has an unknown key. */
export const forgettingKeys = around(gateway, (verify) => {
  let hadKeys = false
  return (token) =>
    verify(token).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          hadKeys = true
        })
      ),
      Effect.catchTag("ProviderUnavailable", (error) => Effect.fail(hadKeys ? rejected("no such key") : error))
    )
})

/** Fetches the key from the URL in the token. */
export const fetchingJku = Layer.effect(
  TokenVerifier,
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const { verify } = yield* TokenVerifier
    return TokenVerifier.of({
      verify: (token) =>
        Effect.catchTag(verify(token), "InvalidToken", (error) =>
          Effect.gen(function*() {
            const text = Redacted.value(token)
            const [head = "", payload = "", ending = ""] = text.split(".")
            const header: { readonly jku?: string } = JSON.parse(Buffer.from(head, "base64url").toString())
            if (header.jku === undefined) return yield* error
            const response = yield* client.get(header.jku)
            // The suite serves one key there.
            const { keys: [jwk] } = (yield* response.json) as unknown as { readonly keys: readonly [JsonWebKey] }
            const claims: Record<string, string> = JSON.parse(Buffer.from(payload, "base64url").toString())
            const parsed = { header, claims, input: `${head}.${payload}`, signature: Buffer.from(ending, "base64url") }
            if (!verifyEs256(parsed, jwkToKey(jwk))) return yield* error
            const identity: Identity = {
              subject: claims["sub"] ?? "",
              issuer: claims["iss"] ?? "",
              clientId: undefined,
              scopes: [],
              email: undefined,
              name: undefined,
              provider: "main",
              expiresAt: undefined,
              claims
            }
            return identity
          }).pipe(Effect.catchTag("HttpClientError", () => Effect.fail(error))))
    })
  })
).pipe(Layer.provide(gateway))

/** Accepts what was rejected for its kind. */
export const takingRefresh = (inner: Inner) =>
  around(inner, (verify) => (token) =>
    Effect.catchIf(
      verify(token),
      (error) => error._tag === "InvalidToken" && error.reason === "ValidationFailed",
      () =>
        Effect.succeed<Identity>({
          subject: "ada",
          clientId: undefined,
          issuer: "https://issuer.test",
          scopes: [],
          email: undefined,
          name: undefined,
          provider: "opaque",
          expiresAt: undefined,
          claims: {}
        })
    ))

type Claims = Readonly<Record<string, unknown>>

/** Ignores some of what introspection reports: the response is corrected on its way to our verifier. */
const believing = (correct: (reply: Claims, issuer: Issuer) => Claims): Inner =>
  introspected.pipe(
    Layer.provide(Layer.effect(
      HttpClient.HttpClient,
      Effect.gen(function*() {
        const issuer = yield* TestIssuer
        return HttpClient.transformResponse(yield* HttpClient.HttpClient, (send) =>
          Effect.gen(function*() {
            const response = yield* send
            if (response.status !== 200) return response
            const text = yield* response.text
            const reply: unknown = yield* Effect.orElseSucceed(Effect.try((): unknown => JSON.parse(text)), () => text)
            const corrected = isJsonObject(reply) ? JSON.stringify(correct(reply, issuer)) : text
            return HttpClientResponse.fromWeb(
              response.request,
              new Response(corrected, { headers: { "content-type": "application/json" } })
            )
          }))
      })
    ))
  )

const without = (name: string) => (reply: Claims): Claims =>
  Object.fromEntries(Object.entries(reply).filter(([member]) => member !== name))

/** Verifiers that trust providers that lie. */
export const believingActive = believing((reply) => ({
  ...reply,
  active: reply["active"] ? true : reply["active"]
}))
export const believingAudience = believing((reply, { audience }) => ({ ...reply, aud: audience }))
export const believingIssuer = believing(without("iss"))
export const believingBegin = believing(without("nbf"))
export const believingEnd = believing(without("exp"))

/** Sends requests again and again to a provider that does not respond. */
export const persistent = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.retry(verify(token), { times: 4, while: ({ _tag }) => _tag === "ProviderUnavailable" })
  )

/** Shares one request between all verifications of a token, which ends with the first of them. */
export const abandoning = (inner: Inner) =>
  around(inner, (verify) => {
    const open = new Map<string, Deferred.Deferred<Identity, VerificationError>>()
    return Effect.fnUntraced(function*(token) {
      const text = Redacted.value(token)
      const others = open.get(text)
      if (others !== undefined) return yield* Deferred.await(others)
      const question = yield* Deferred.make<Identity, VerificationError>()
      open.set(text, question)
      const exit = yield* Effect.exit(verify(token))
      open.delete(text)
      yield* Deferred.done(question, exit)
      return yield* exit
    })
  })

/** Admits one request after the other, and does not continue after a cancelled one. */
export const stuck = (inner: Inner) =>
  around(inner, (verify) => {
    const door = Semaphore.makeUnsafe(1)
    return (token) =>
      Effect.andThen(
        door.take(1),
        Effect.flatMap(Effect.exit(verify(token)), (exit) => Effect.andThen(door.release(1), exit))
      )
  })

/** Writes the token into the span of the verification. */
export const tracing = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.withSpan(verify(token), "verify", {
        attributes: { "http.authorization": `Bearer ${Redacted.value(token)}` }
      })
  )

/** Has no place for a token of more than 2 KiB. */
export const cramped = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) => Redacted.value(token).length > 2_048 ? Effect.fail(rejected("too long")) : verify(token)
  )

/** Remembers for ten minutes whom it has rejected. */
export const resentful = (inner: Inner) =>
  around(inner, (verify) => {
    const errors = new Map<string, { readonly error: VerificationError; readonly until: number }>()
    return Effect.fnUntraced(function*(token) {
      const now = yield* Clock.currentTimeMillis
      const before = errors.get(Redacted.value(token))
      if (before !== undefined && now < before.until) return yield* before.error
      return yield* Effect.tapError(verify(token), (error) =>
        Effect.sync(() => errors.set(Redacted.value(token), { error, until: now + 600_000 })))
    })
  })

/** Trusts an unverified token of a known subject during an outage. */
export const trustingAcquaintances = around(gateway, (verify) => {
  const acquaintances = new Map<string, Identity>()
  return (token) =>
    verify(token).pipe(
      Effect.tap((identity) => Effect.sync(() => acquaintances.set(identity.subject, identity))),
      Effect.catchTag("ProviderUnavailable", (error) => {
        const payload = Redacted.value(token).split(".")[1] ?? ""
        const { sub }: { readonly sub?: string } = JSON.parse(Buffer.from(payload, "base64url").toString())
        const identity = acquaintances.get(sub ?? "")
        return identity === undefined ? Effect.fail(error) : Effect.succeed(identity)
      })
    )
})

/** Reports a wrong signature for every token. */
export const misreporting = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.catchTag(verify(token), "InvalidToken", ({ detail, provider }) =>
        Effect.fail(new InvalidToken({ reason: "InvalidSignature", detail, provider })))
  )

/** Tells clients to wait for NaN seconds. */
export const confused = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.catchTag(verify(token), "ProviderUnavailable", ({ detail, provider }) =>
        Effect.fail(new ProviderUnavailable({ detail, provider, retryAfter: Number.NaN })))
  )

/** Finds a key by its id in any case. */
export const keyInAnyCase: Steps["key"] = ({ kid }, { keys }) => {
  const jwk = keys.find((key) => String(key["kid"]).toLowerCase() === String(kid).toLowerCase())
  return jwk === undefined ? undefined : jwkToKey(jwk)
}

export const normalising = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.map(verify(token), (identity) => ({ ...identity, subject: identity.subject.normalize("NFC") }))
  )

export const gossiping = (inner: Inner) =>
  around(inner, (verify) => (token) => Effect.tap(verify(token), ({ name }) => Effect.logDebug(`hello ${name}`)))

/** Has no more than eight verifications at a time, and fails the others. */
export const overwhelmed = (inner: Inner) =>
  around(inner, (verify) => {
    let busy = 0
    return (token) =>
      Effect.suspend(() => {
        if (busy === 8) return Effect.fail(new ProviderUnavailable({ provider: "main", detail: "busy", retryAfter: 1 }))
        busy += 1
        return Effect.ensuring(
          Effect.andThen(Effect.yieldNow, verify(token)),
          Effect.sync(() => {
            busy -= 1
          })
        )
      })
  })

/** Verifies one token after the other. */
export const singleFile = (inner: Inner) =>
  around(inner, (verify) => {
    const door = Semaphore.makeUnsafe(1)
    return (token) => door.withPermits(1)(verify(token))
  })

/** Waits for a provider for an hour. */
export const patient = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.catchTag(verify(token), "ProviderUnavailable", (error) => Effect.delay(Effect.fail(error), "1 hour"))
  )

/** Does not ask a provider for a minute once it has failed. */
export const discouraged = (inner: Inner) =>
  around(inner, (verify) => {
    let until = 0
    return Effect.fnUntraced(function*(token) {
      const now = yield* Clock.currentTimeMillis
      if (now < until) return yield* new ProviderUnavailable({ provider: "main", detail: "closed", retryAfter: 60 })
      return yield* Effect.tapErrorTag(verify(token), "ProviderUnavailable", () =>
        Effect.sync(() => {
          until = now + 60_000
        }))
    })
  })

/** Believes in the tokens that it knows from the first outage on. */
export const shaken = (inner: Inner) =>
  around(inner, (verify) => {
    const known = new Map<string, Identity>()
    let hadOutage = false
    return (token) => {
      const identity = known.get(Redacted.value(token))
      if (hadOutage && identity !== undefined) return Effect.succeed(identity)
      return verify(token).pipe(
        Effect.tap((verified) => Effect.sync(() => known.set(Redacted.value(token), verified))),
        Effect.tapErrorTag("ProviderUnavailable", () =>
          Effect.sync(() => {
            hadOutage = true
          }))
      )
    }
  })

/** Lets no caller leave before there is a verdict. */
export const holding = (inner: Inner) => around(inner, (verify) => (token) => Effect.uninterruptible(verify(token)))

/** Has room for the first 64 characters of a subject. */
export const shortening = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.map(verify(token), (identity) => ({ ...identity, subject: identity.subject.slice(0, 64) }))
  )
