/** The identity provider of a company, which vouches for its users by identity assertions (ID-JAG). */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SignJWT } from "jose"
import { randomUUID } from "node:crypto"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"

export interface CompanyIssuer {
  readonly issuer: string
  readonly jwksUri: string
  /** Issues an assertion with these claims, besides those that each has. */
  readonly assertion: (claims: Readonly<Record<string, unknown>>) => Effect.Effect<string>
}

/** Starts it; it stops with its scope. */
export const startCompanyIssuer: Effect.Effect<CompanyIssuer, never, Scope.Scope> = Effect.gen(function*() {
  const key = yield* makeSigningKey({ algorithm: "RS256", kid: "company-1" })
  const documents = new Map<string, object>()
  const { origin } = yield* listen((request, response) =>
    Effect.sync(() => {
      const document = documents.get(request.url ?? "")
      response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" })
      response.end(JSON.stringify(document ?? {}))
    })
  )
  const jwksUri = `${origin}/jwks`
  documents.set("/jwks", { keys: [key.publicJwk] })
  documents.set("/.well-known/openid-configuration", {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    jwks_uri: jwksUri,
    response_types_supported: ["code"]
  })
  return {
    issuer: origin,
    jwksUri,
    assertion: (claims) =>
      Effect.promise(() =>
        new SignJWT({ iss: origin, jti: randomUUID(), ...claims })
          .setProtectedHeader({ alg: "RS256", kid: key.kid, typ: "oauth-id-jag+jwt" })
          .setIssuedAt()
          .setExpirationTime("2 minutes")
          .sign(key.privateKey)
      )
  }
})
