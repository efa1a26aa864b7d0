import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { StaticProvider, StaticToken } from "../config/GatewaySettings.ts"
import type { Identity } from "../identity/Identity.ts"
import { makeTokenDigest } from "./tokenDigest.ts"

/** A static token without its text. */
interface Entry {
  readonly digest: string
  readonly identity: Identity
}

/** Finds the identity that goes with a token, `undefined` for an unknown one; whether it has expired is not judged. */
export type FindStaticToken = (token: string) => Effect.Effect<Identity | undefined>

const identityOf = (provider: string, token: StaticToken): Identity => ({
  subject: token.subject,
  principal: token.subject === token.clientId ? "client" : "user",
  clientId: token.clientId,
  issuer: "static",
  scopes: token.scopes,
  email: token.email,
  name: token.name,
  provider,
  expiresAt: token.expiresAt,
  claims: { sub: token.subject, client_id: token.clientId, scope: token.scopes.join(" ") }
})

/** The OR of all differing bits: 0 for equal digests. Takes the same time wherever they differ. */
const difference = (left: string, right: string): number => {
  let bits = left.length ^ right.length
  for (let index = 0; index < left.length; index++) bits |= left.charCodeAt(index) ^ right.charCodeAt(index)
  return bits
}

/**
 * Prepares the tokens of all static providers: SHA-256 digests, made once.
 *
 * A token is compared with every entry in full, by digest, so that the time taken says nothing about how much of which
 * token was guessed.
 */
export const makeStaticTokens = Effect.fnUntraced(function*(
  providers: ReadonlyArray<StaticProvider>
): Effect.fn.Return<FindStaticToken, never, Digest.Digest> {
  const digestOf = yield* makeTokenDigest
  const entries: ReadonlyArray<Entry> = yield* Effect.forEach(
    providers.flatMap(({ name, tokens }) => tokens.map((token) => ({ name, token }))),
    ({ name, token }) =>
      Effect.map(digestOf(Redacted.value(token.token)), (digest) => ({ digest, identity: identityOf(name, token) }))
  )
  return (token) =>
    Effect.map(digestOf(token), (digest) => {
      let found: Identity | undefined
      for (const entry of entries) {
        if (difference(entry.digest, digest) === 0) found = entry.identity
      }
      return found
    })
})
