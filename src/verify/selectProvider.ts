/** Which provider judges a token. Pure. */
import * as Result from "effect/Result"
import { shapeMistake } from "../credential/mistakes.ts"
import { show, showAll } from "../errors/show.ts"
import { isSameIssuer } from "../remote/issuerUrl.ts"
import { own } from "../remote/JsonObject.ts"
import { type CompactJws, hasJwtShape, parseCompactJws } from "./jwt/CompactJws.ts"
import type { VerifyJwt } from "./jwt/JwtVerifier.ts"
import type { VerifyOpaque } from "./opaque/VerifyOpaque.ts"
import { type Rejection, rejection } from "./Rejection.ts"

interface Registered {
  readonly name: string
  /** Tokens that begin with it are this provider's, whatever their shape. */
  readonly tokenPrefix: string | undefined
}

export interface RegisteredJwtProvider extends Registered {
  readonly _tag: "Jwt"
  /** One for each tenant, where there are several. */
  readonly issuers: ReadonlyArray<string>
  readonly verify: VerifyJwt
}

export interface RegisteredOpaqueProvider extends Registered {
  readonly _tag: "Opaque"
  readonly verify: VerifyOpaque
  /** For how long its refusals may be believed, in milliseconds; not at all where it is not given. */
  readonly rejectionMillis?: number | undefined
}

/** A provider with its verifier. Listed tokens are found before a provider is selected. */
export type RegisteredProvider =
  | RegisteredJwtProvider
  | RegisteredOpaqueProvider
  | (Registered & { readonly _tag: "Listed" })

/** The provider that judges a token, with what it judges. Its no is final. */
export type Selection =
  | { readonly _tag: "Jwt"; readonly provider: RegisteredJwtProvider; readonly jws: CompactJws }
  | { readonly _tag: "Opaque"; readonly provider: RegisteredOpaqueProvider }

type Selected = Result.Result<Selection, Rejection>

const unknownToken = rejection("UnknownToken", "not one of the static tokens")

/** By prefix: whatever the token looks like. */
const selectNamed = (provider: RegisteredProvider, token: string): Selected => {
  switch (provider._tag) {
    case "Jwt":
      return Result.map(parseCompactJws(token), (jws) => ({ _tag: "Jwt", provider, jws }))
    case "Opaque":
      return Result.succeed({ _tag: "Opaque", provider })
    case "Listed":
      return Result.fail(unknownToken)
  }
}

/**
 * Makes the selection rule for a set of providers, for tokens that are not listed ones.
 *
 * The longest configured prefix wins; then a token of three parts goes to the JWT provider that its unverified `iss` names
 * (no other is asked, and none by network); then to the introspection or userinfo provider, if exactly one has no
 * prefix. A token with the form of a JWT is not tried as an opaque one unless there is no JWT provider at all.
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
      : Result.succeed({ _tag: "Jwt", provider, jws })
  }

  return (token) => {
    const named = prefixed.find(({ prefix }) => token.startsWith(prefix))
    if (named !== undefined) return selectNamed(named.provider, token)
    if (jwt.length > 0 && hasJwtShape(token)) return Result.flatMap(parseCompactJws(token), selectByIssuer)
    if (opaque !== undefined && moreOpaque.length === 0) return Result.succeed({ _tag: "Opaque", provider: opaque })
    return Result.fail(onlyListed ? unknownToken : rejection("MalformedToken", shapeMistake(token)))
  }
}
