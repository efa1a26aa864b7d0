import * as Redacted from "effect/Redacted"
import type { Provider } from "../GatewaySettings.ts"
import { issuersOf } from "../kinds/issuerTemplate.ts"
import { withoutSlash } from "../kinds/resourceUrl.ts"
import type { FieldReader } from "./FieldReader.ts"

/** A provider, and the fields that it came from. */
export interface ResolvedProvider {
  readonly provider: Provider
  readonly fields: FieldReader
}

const jwtIssuers = (provider: Provider): ReadonlyArray<string> =>
  provider.type === "authkit" || provider.type === "oidc" ? issuersOf(provider).map(withoutSlash) : []

const takesAnyOpaqueToken = ({ tokenPrefix, type }: Provider): boolean =>
  tokenPrefix === undefined && (type === "userinfo" || type === "introspection")

const tokensOf = (provider: Provider): ReadonlyArray<string> =>
  provider.type === "static" ? provider.tokens.map(({ token }) => Redacted.value(token)) : []

/** Complains, at the second of two providers, about whatever would leave it open which of them a token belongs to. */
export const complainAboutPair = (one: ResolvedProvider, other: ResolvedProvider): void => {
  const [first, second] = [one.provider, other.provider]
  const { provider: name } = one.fields
  const { complain } = other.fields

  if (first.name === second.name) {
    complain("name", {
      problem: `is the same as that of ${name}`,
      cure: "Give each provider a name of its own; without one it is called after its type"
    })
  }
  if (
    first.tokenPrefix !== undefined && second.tokenPrefix !== undefined &&
    (first.tokenPrefix.startsWith(second.tokenPrefix) || second.tokenPrefix.startsWith(first.tokenPrefix))
  ) {
    complain("token_prefix", {
      problem: `overlaps with that of ${name}`,
      cure: "Choose prefixes of which none begins with another"
    })
  }
  const issuers = new Set(jwtIssuers(first))
  if (jwtIssuers(second).some((issuer) => issuers.has(issuer))) {
    complain("issuer", { problem: `is the same as that of ${name}`, cure: "Make one provider of the two" })
  }
  if (takesAnyOpaqueToken(first) && takesAnyOpaqueToken(second)) {
    complain("token_prefix", {
      problem: `is missing here and in ${name}, so that an opaque token could belong to either`,
      cure: "Give all but one of the userinfo and introspection providers a token prefix"
    })
  }
  const tokens = new Set(tokensOf(first))
  if (tokensOf(second).some((token) => tokens.has(token))) {
    complain("tokens", {
      problem: `has a token that ${name} has too`,
      cure: "Give each static token to one provider only"
    })
  }
}
