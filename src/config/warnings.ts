import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { GatewaySettings, Provider } from "./GatewaySettings.ts"
import { httpWarnings } from "./httpWarnings.ts"
import { isLoopbackHost } from "./loopback.ts"
import { isLoopbackAddress } from "./network.ts"

const shortest = 32

const aboutProvider = (provider: Provider, settings: GatewaySettings, development: boolean): ReadonlyArray<string> => {
  const says: Array<string> = []
  const say = (text: string) => says.push(`Provider ${JSON.stringify(provider.name)}: ${text}`)
  switch (provider.type) {
    case "authkit":
    case "oidc":
    case "introspection": {
      if (provider.audience.length === 0 && provider.allowedClients.length === 0) {
        say(
          "no audience is configured, so that tokens that were issued for other services are accepted. " +
            "Set MCP_JWT_AUDIENCE; auto means the public URL with the MCP path. Where tokens have no aud, set " +
            "MCP_ALLOWED_CLIENTS."
        )
      }
      break
    }
    case "static": {
      if (!development) say("static tokens are for development. Use an identity provider.")
      const short = provider.tokens.filter(({ token }) => Redacted.value(token).length < shortest).length
      if (short > 0) {
        const tokens = short === 1 ? "1 static token is" : `${short} static tokens are`
        say(`${tokens} shorter than ${shortest} characters and could be guessed. Use long random tokens.`)
      }
      break
    }
    case "userinfo": {
      say(
        "a userinfo answer proves who the caller is but not for whom the token was issued, so that tokens for other " +
          "services of the same issuer are accepted. Use introspection or JWTs where the issuer offers them."
      )
      if (settings.requiredScopes.length > 0 || provider.requiredScopes.length > 0) {
        say("scopes are required, but a userinfo answer does not tell the token's scopes: every token will be refused.")
      }
      break
    }
  }
  return says
}

const listensOnLoopback = ({ host, publicUrl }: GatewaySettings): boolean =>
  isLoopbackAddress(host) && (publicUrl === undefined || isLoopbackHost(new URL(publicUrl).hostname))

/**
 * What is allowed but unwise in valid settings, one sentence or two each, for the log at start-up.
 *
 * @param options.development whether this is a development machine, where static tokens need no warning; by default
 * it is one if the gateway listens on a loopback address and has no public URL elsewhere
 */
export const warnings = (
  settings: GatewaySettings,
  { development = listensOnLoopback(settings) }: { readonly development?: boolean } = {}
): ReadonlyArray<string> => {
  const says: Array<string> = []
  if (!settings.authEnabled) {
    says.push("Authentication is disabled: every request passes. Remove MCP_AUTH_ENABLED=false to enable it.")
  }
  for (const provider of settings.providers) says.push(...aboutProvider(provider, settings, development))
  says.push(...httpWarnings(settings))
  if (settings.forwardAuthorization) {
    says.push(
      "The client's token is handed on to the MCP server, which MCP forbids. Remove MCP_FORWARD_AUTHORIZATION=true " +
        "unless the server needs the token and can be trusted with it."
    )
  }
  const unlisted = settings.requiredScopes.filter((scope) => !settings.scopesSupported.includes(scope))
  if (unlisted.length > 0) {
    says.push(
      "Required scopes are missing from the supported ones, so that clients which ask for what is listed are never let " +
        "in. Add them to MCP_SCOPES_SUPPORTED, or remove that setting."
    )
  }
  if (settings.publicUrl !== undefined && settings.path !== "/" && settings.publicUrl.endsWith(settings.path)) {
    says.push(
      "MCP_PUBLIC_URL ends in MCP_PATH, so that clients are told to use the path twice. Remove it from MCP_PUBLIC_URL " +
        "unless a proxy serves the gateway below that path."
    )
  }
  return says
}

/** Writes them to the log: once, where a gateway or what embeds it begins. */
export const logWarnings = (settings: GatewaySettings): Effect.Effect<void> =>
  Effect.forEach(warnings(settings), (warning) => Effect.logWarning(warning), { discard: true })
