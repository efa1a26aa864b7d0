/** Verifiers of ours with something wrong around them. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { JsonWebKey } from "node:crypto"
import { InvalidToken } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { introspectionProvider } from "../verify/support.ts"
import { jwkToKey, verifyEs256 } from "./handMadeVerifier.ts"
import { gatewayVerifier, jwtVerifier } from "./ourVerifiers.ts"

type Verify = TokenVerifier["Service"]["verify"]

export const gateway = jwtVerifier({ algorithms: ["ES256"] })

export const introspected = gatewayVerifier((issuer) => [introspectionProvider(issuer)])

const around = <E, R>(inner: Layer.Layer<TokenVerifier, E, R>, change: (verify: Verify) => Verify) =>
  Layer.effect(TokenVerifier, Effect.map(TokenVerifier, ({ verify }) => ({ verify: change(verify) }))).pipe(
    Layer.provide(inner)
  )

type Inner = typeof gateway

const refused = (detail: string) => new InvalidToken({ provider: undefined, reason: "ValidationFailed", detail })

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
        known: (token) =>
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
        if (seen.has(text)) return Effect.fail(refused("seen before"))
        seen.add(text)
        return verify(token)
      })
  })

export const blaming = (inner: Inner) =>
  around(
    inner,
    (verify) => (token) =>
      Effect.catchTag(verify(token), "ProviderUnavailable", ({ detail }) => Effect.fail(refused(detail)))
  )

export const dying = (inner: Inner) =>
  around(inner, (verify) => (token) => Effect.catchTag(verify(token), "InvalidToken", (error) => Effect.die(error)))

/** Believes the provider's last word about anybody while it is silent. */
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
        Effect.fail(refused(`no such token: ${Redacted.value(token)}`)))
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
      Effect.catchTag("ProviderUnavailable", (error) => Effect.fail(hadKeys ? refused("no such key") : error))
    )
})

/** Asks whomever the token names for the key. */
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

/** Lets in what was refused for its kind. */
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
