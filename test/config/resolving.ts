/** Short ways to resolve settings in tests. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { GatewayConfigInput } from "../../src/config/GatewayConfigInput.ts"
import type { GatewaySettings, StaticToken } from "../../src/config/GatewaySettings.ts"
import type { InvalidConfiguration, Problem } from "../../src/config/InvalidConfiguration.ts"
import { resolve, resolveSources } from "../../src/config/resolve.ts"
import { fromInput } from "../../src/config/sources/document.ts"
import { asOwn, type OwnProvider } from "../fixtures/providers.ts"

type Variables = Readonly<Record<string, string | undefined>>

const good = (result: Result.Result<GatewaySettings, InvalidConfiguration>): GatewaySettings =>
  Result.getOrThrowWith(result, ({ message }) => new Error(message))

/** The settings; throws with all problems if there are any. */
export const settingsOf = (variables: Variables, document?: unknown): GatewaySettings =>
  good(resolveSources({ variables, document }))

export const settingsOfInput = (input: GatewayConfigInput): GatewaySettings => good(resolve([fromInput(input)]))

const failure = (result: Result.Result<GatewaySettings, InvalidConfiguration>): InvalidConfiguration => {
  if (Result.isSuccess(result)) throw new Error("accepted")
  return result.failure
}

/** The problems of settings; throws if there are none. */
export const rejectionOf = (variables: Variables, document?: unknown): InvalidConfiguration =>
  failure(resolveSources({ variables, document }))

export const problemsOf = (variables: Variables, document?: unknown): ReadonlyArray<Problem> =>
  rejectionOf(variables, document).problems

/** The only problem of settings; throws if there are other problems, or none. */
export const onlyProblemOf = (variables: Variables, document?: unknown): Problem => {
  const { message, problems: [problem, ...others] } = rejectionOf(variables, document)
  if (problem === undefined || others.length > 0) throw new Error(message)
  return problem
}

/** The single provider of the settings. */
export const providerOf = (variables: Variables): OwnProvider => {
  const [provider, ...others] = settingsOf(variables).providers
  if (provider === undefined || others.length > 0) throw new Error("not one provider")
  return asOwn(provider)
}

/**
 * The tokens of a static provider, in clear.
 *
 * Two `Redacted` are deeply equal regardless of their contents, so that tokens must not be compared as `Redacted`.
 */
export const tokensOf = (
  variables: Variables
): ReadonlyArray<Omit<StaticToken, "token"> & { readonly token: string }> => {
  const provider = providerOf(variables)
  return provider.type === "static"
    ? provider.tokens.map(({ token, ...rest }) => Object.assign(rest, { token: Redacted.value(token) }))
    : []
}

/** Complete settings, to be changed in one place. */
export const complete = {
  MCP_JWT_ISSUER: "https://issuer.example",
  MCP_JWT_AUDIENCE: "https://mcp.example.com/mcp"
}
