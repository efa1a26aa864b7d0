/** Selects the provider that verifies a token. Pure. */
import type * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { BearerToken } from "../credential/BearerToken.ts"
import { shapeMistake } from "../credential/mistakes.ts"
import { show, showAll } from "../errors/show.ts"
import { isSameIssuer } from "../remote/issuerUrl.ts"
import { own } from "../remote/JsonObject.ts"
import type { Inspection } from "./Inspection.ts"
import { type CompactJws, hasJwtShape, parseCompactJws } from "./jwt/CompactJws.ts"
import type { VerifyJwt } from "./jwt/JwtVerifier.ts"
import type { VerifyOpaque } from "./opaque/VerifyOpaque.ts"
import { type Rejection, rejection } from "./Rejection.ts"

interface Registered {
  readonly name: string
  /** All tokens with this prefix go to this provider, regardless of their shape. */
  readonly tokenPrefix: string | undefined
}

export interface RegisteredJwtProvider extends Registered {
  readonly _tag: "Jwt"
  /** The provider's issuers, one for each tenant. */
  readonly issuers: ReadonlyArray<string>
  readonly verify: VerifyJwt
  /** Checks every rule about a token, for an operator. */
  readonly inspect?: ((jws: CompactJws) => Effect.Effect<Inspection>) | undefined
}

export interface RegisteredOpaqueProvider extends Registered {
  readonly _tag: "Opaque"
  readonly verify: VerifyOpaque
  /** How long rejections are cached, in milliseconds. If left out, they are not cached. */
  readonly rejectionMillis?: number | undefined
  /** Checks every rule about a token, for an operator. */
  readonly inspect?: ((token: BearerToken) => Effect.Effect<Inspection>) | undefined
}

/** A provider with its verifier. Static tokens are looked up earlier, and are not part of the selection. */
export type RegisteredProvider =
  | RegisteredJwtProvider
  | RegisteredOpaqueProvider
  | (Registered & { readonly _tag: "Listed" })

/** The provider that verifies a token, and the parsed token. Its rejection is final. */
export type Selection =
  & { readonly by: "Prefix" | "Issuer" | "Shape" }
  & (
    | { readonly _tag: "Jwt"; readonly provider: RegisteredJwtProvider; readonly jws: CompactJws }
    | { readonly _tag: "Opaque"; readonly provider: RegisteredOpaqueProvider }
  )

type Selected = Result.Result<Selection, Rejection>

const unknownToken = rejection("UnknownToken", "not one of the static tokens")

const selectNamed = (provider: RegisteredProvider, token: string): Selected => {
  switch (provider._tag) {
    case "Jwt":
      return Result.map(parseCompactJws(token), (jws) => ({ _tag: "Jwt", provider, jws, by: "Prefix" }))
    case "Opaque":
      return Result.succeed({ _tag: "Opaque", provider, by: "Prefix" })
    case "Listed":
      return Result.fail(unknownToken)
  }
}

/**
 * Builds the selection among a set of providers, for tokens that are not static.
 *
 * The longest configured prefix wins. Otherwise, a token of three parts goes to the JWT provider that its unverified
 * `iss` names, and no other provider is tried. Otherwise, it goes to the introspection or userinfo provider, if exactly
 * one has no prefix. A token with the form of a JWT counts as opaque only if there is no JWT provider.
 */
export const makeSelectProvider = (providers: ReadonlyArray<RegisteredProvider>): (token: string) => Selected => {
  const prefixed = providers
    .flatMap((provider) => provider.tokenPrefix === undefined ? [] : [{ provider, prefix: provider.tokenPrefix }])
    .toSorted((left, right) => right.prefix.length - left.prefix.length)
  const jwt = providers.filter((provider) => provider._tag === "Jwt")
  const [opaque, ...moreOpaque] = providers
    .filter((provider) => provider._tag === "Opaque")
    .filter(({ tokenPrefix }) => tokenPrefix === undefined)
  const onlyListed = providers.every((provider) => provider._tag === "Listed")

  const selectByIssuer = (jws: CompactJws): Selected => {
    const iss = own(jws.claims, "iss")
    const provider = typeof iss === "string"
      ? jwt.find(({ issuers }) => issuers.some((issuer) => isSameIssuer(issuer, iss)))
      : undefined
    return provider === undefined
      ? Result.fail(
        rejection("InvalidIssuer", `iss is ${show(iss)}; configured: ${showAll(jwt.flatMap(({ issuers }) => issuers))}`)
      )
      : Result.succeed({ _tag: "Jwt", provider, jws, by: "Issuer" })
  }

  return (token) => {
    const named = prefixed.find(({ prefix }) => token.startsWith(prefix))
    if (named !== undefined) return selectNamed(named.provider, token)
    if (jwt.length > 0 && hasJwtShape(token)) return Result.flatMap(parseCompactJws(token), selectByIssuer)
    if (opaque !== undefined && moreOpaque.length === 0) {
      return Result.succeed({ _tag: "Opaque", provider: opaque, by: "Shape" })
    }
    return Result.fail(onlyListed ? unknownToken : rejection("MalformedToken", shapeMistake(token)))
  }
}
