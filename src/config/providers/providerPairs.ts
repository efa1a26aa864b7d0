import * as Redacted from "effect/Redacted"
import type { ProviderType } from "../../providers/ProviderType.ts"
import type { Provider } from "../GatewaySettings.ts"
import { withoutSlash } from "../kinds/resourceUrl.ts"
import type { FieldReader } from "./FieldReader.ts"

/** A provider, its type, and the fields that it was read from. */
export interface ResolvedProvider {
  readonly provider: Provider
  readonly type: ProviderType
  readonly fields: FieldReader
}

const issuersOf = ({ provider, type }: ResolvedProvider): ReadonlyArray<string> => {
  const tokens = type.ownTokens(provider)
  return tokens._tag === "JwtsOf" ? tokens.issuers.map(withoutSlash) : []
}

const takesAnyOpaqueToken = ({ provider, type }: ResolvedProvider): boolean =>
  provider.tokenPrefix === undefined && type.ownTokens(provider)._tag === "Opaque"

const listedTokens = ({ provider, type }: ResolvedProvider): ReadonlyArray<string> => {
  const tokens = type.ownTokens(provider)
  return tokens._tag === "Listed" ? tokens.tokens.map(Redacted.value) : []
}

/** Reports, for the second of two providers, everything that makes it ambiguous which of them verifies a token. */
export const reportPair = (one: ResolvedProvider, other: ResolvedProvider): void => {
  const [first, second] = [one.provider, other.provider]
  const { provider: name } = one.fields
  const { report } = other.fields

  if (first.name === second.name) {
    report("name", {
      problem: `is the same as that of ${name}`,
      fix: "Give each provider a name of its own; without one it is called after its type"
    })
  }
  if (
    first.tokenPrefix !== undefined && second.tokenPrefix !== undefined &&
    (first.tokenPrefix.startsWith(second.tokenPrefix) || second.tokenPrefix.startsWith(first.tokenPrefix))
  ) {
    report("token_prefix", {
      problem: `overlaps with that of ${name}`,
      fix: "Choose prefixes of which none begins with another"
    })
  }
  const issuers = new Set(issuersOf(one))
  if (issuersOf(other).some((issuer) => issuers.has(issuer))) {
    report("issuer", { problem: `is the same as that of ${name}`, fix: "Make one provider of the two" })
  }
  if (takesAnyOpaqueToken(one) && takesAnyOpaqueToken(other)) {
    report("token_prefix", {
      problem: `is missing here and in ${name}, so that an opaque token could belong to either`,
      fix: "Give all but one of the providers of opaque tokens a token prefix"
    })
  }
  const tokens = new Set(listedTokens(one))
  if (listedTokens(other).some((token) => tokens.has(token))) {
    report("tokens", {
      problem: `has a token that ${name} has too`,
      fix: "Give each static token to one provider only"
    })
  }
}
