/** Verifiers of ours that remember too much, or mix up what they remember. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Identity } from "../../src/identity/Identity.ts"
import { claimsOf } from "../../src/testing/tokenVerifier/compactToken.ts"
import { around, type gateway } from "./wrappedVerifiers.ts"

type Inner = typeof gateway

/** Returns one object for all callers, with the values of the last one. */
export const sharing = (inner: Inner) =>
  around(inner, (verify) => {
    const shared = {}
    return (token) => Effect.map(verify(token), (identity) => Object.assign(shared, identity))
  })

/** Accepts whom it has accepted before, as long as the provider is unavailable. */
export const clinging = (inner: Inner) =>
  around(inner, (verify) => {
    const accepted = new Map<string, Identity>()
    return (token) => {
      const text = Redacted.value(token)
      return verify(token).pipe(
        Effect.tap((identity) => Effect.sync(() => accepted.set(text, identity))),
        Effect.catchTag("ProviderUnavailable", (error) => {
          const identity = accepted.get(text)
          return identity === undefined ? Effect.fail(error) : Effect.succeed(identity)
        })
      )
    }
  })

/** Reports the e-mail address in the claims, regardless of what else they say. */
export const trustingEmail = (inner: Inner) =>
  around(inner, (verify) => (token) =>
    Effect.map(verify(token), (identity) => {
      const { email } = identity.claims
      return typeof email === "string" ? { ...identity, email } : identity
    }))

/** Takes the client that a token names for its audience. */
export const takingClientForAudience = (inner: Inner) =>
  around(inner, (verify) => (token) =>
    Effect.catchIf(
      verify(token),
      (error) =>
        error._tag === "InvalidToken" && (error.reason === "MissingClaim" || error.reason === "InvalidAudience"),
      (error) => {
        const claims = claimsOf(Redacted.value(token))
        return claims["azp"] !== "https://mcp.example/mcp"
          ? Effect.fail(error)
          : Effect.succeed<Identity>({
            subject: String(claims["sub"]),
            clientId: undefined,
            issuer: String(claims["iss"]),
            scopes: [],
            email: undefined,
            name: undefined,
            provider: "jwt",
            expiresAt: undefined,
            claims
          })
      }
    ))
