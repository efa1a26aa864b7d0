import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Provider, StaticToken } from "../config/GatewaySettings.ts"
import { readCommon } from "../config/providers/providerParts.ts"
import type { Identity } from "../identity/Identity.ts"
import { makeTokenDigest } from "../verify/tokenDigest.ts"
import type { ProviderType } from "./ProviderType.ts"

/** A provider with a fixed list of tokens. */
export interface StaticProvider extends Provider {
  readonly type: "static"
  /** At least one token; all different. */
  readonly tokens: ReadonlyArray<StaticToken>
}

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

/** Shorter tokens could be guessed. */
const shortest = 32

/** The type for a fixed list of tokens, for development. */
export const staticTokens: ProviderType<StaticProvider> = {
  name: "static",
  fields: ["tokens"],
  identifiedBy: ["tokens"],
  forDevelopment: true,
  isMeantBy: (given) => given.has("tokens"),
  resolve: (fields) => {
    const tokens = fields.read("tokens")
    if (!fields.given.has("tokens")) {
      fields.report("tokens", {
        problem: "No static tokens configured",
        fix: "Give token:client:subject:scope,scope[:expiry], several separated by semicolons"
      })
    }
    return tokens === undefined ? undefined : { ...readCommon(fields, "static"), tokens }
  },
  describe: ({ tokens }) => ({
    tokens: tokens.map(({ clientId, email, expiresAt, name, scopes, subject }) => ({
      token: "(hidden)",
      client_id: clientId,
      subject,
      scopes,
      expires_at: expiresAt ?? null,
      email: email ?? null,
      name: name ?? null
    }))
  }),
  warnings: ({ tokens }, { development }) => {
    const short = tokens.filter(({ token }) => Redacted.value(token).length < shortest).length
    const are = short === 1 ? "1 static token is" : `${short} static tokens are`
    return [
      ...(development ? [] : ["static tokens are for development. Use an identity provider."]),
      ...(short === 0
        ? []
        : [`${are} shorter than ${shortest} characters and could be guessed. Use long random tokens.`])
    ]
  },
  ownTokens: ({ tokens }) => ({ _tag: "Listed", tokens: tokens.map(({ token }) => token) }),
  register: Effect.fnUntraced(function*({ name, tokens }) {
    const digestOf = yield* makeTokenDigest
    return {
      _tag: "Listed",
      tokens: yield* Effect.forEach(
        tokens,
        (token) =>
          Effect.map(digestOf(Redacted.value(token.token)), (digest) => ({ digest, identity: identityOf(name, token) }))
      )
    }
  })
}
