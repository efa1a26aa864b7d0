import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { ClientAuth, GatewaySettings, Provider } from "./GatewaySettings.ts"
import { httpWarnings } from "./httpWarnings.ts"
import { isLoopbackHost } from "./kinds/loopback.ts"
import { isLoopbackAddress } from "./kinds/network.ts"
import { resourceUrl, withoutSlash } from "./kinds/resourceUrl.ts"

const shortest = 32

// What this project's own documentation, and that of providers, has where a name of the reader's belongs.
const example =
  /\byour[-_](?:tenant|domain|authkit-instance|api|app|audience|client|company|instance|org|project|realm)\b/i

/** Says whether the public URL ends in the MCP path, which follows it anyway. */
const repeatsPath = ({ path, publicUrl }: Pick<GatewaySettings, "path" | "publicUrl">): boolean =>
  publicUrl !== undefined && path !== "/" && publicUrl.endsWith(path)

/** Audiences that are configured, but are probably not what was meant. */
const aboutAudience = (
  audience: ReadonlyArray<string>,
  issuer: string,
  { path, publicUrl }: GatewaySettings
): ReadonlyArray<string> => {
  const says: Array<string> = []
  const own = publicUrl === undefined ? undefined : resourceUrl(publicUrl, path)
  const plain = new Set(audience.map(withoutSlash))
  if (plain.has(withoutSlash(issuer))) {
    says.push(
      "the audience is the issuer itself, so that tokens for the issuer's own services are accepted. Have the provider " +
        "issue tokens for the MCP server, and set MCP_JWT_AUDIENCE to that."
    )
  } else if (
    publicUrl !== undefined && own !== undefined && !repeatsPath({ path, publicUrl }) &&
    !plain.has(withoutSlash(own)) &&
    plain.has(withoutSlash(publicUrl))
  ) {
    says.push(
      `the audience is the public URL without the MCP path, but MCP clients ask for tokens for ${own}. Add auto to ` +
        "MCP_JWT_AUDIENCE unless the provider writes the audience by itself."
    )
  }
  return says
}

const hasBlank = (auth: ClientAuth): boolean => "clientId" in auth && /\s/.test(auth.clientId)

const aboutProvider = (provider: Provider, settings: GatewaySettings, development: boolean): ReadonlyArray<string> => {
  const says: Array<string> = []
  const say = (text: string) => says.push(`Provider ${JSON.stringify(provider.name)}: ${text}`)
  const audience = "audience" in provider ? provider.audience : []
  if ("issuer" in provider) {
    for (const warning of aboutAudience(audience, provider.issuer, settings)) say(warning)
    if ([provider.issuer, ...audience].some((text) => example.test(text))) {
      say("the issuer or the audience looks like the example in a documentation. Write your own.")
    }
  }
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
      if (provider.type === "introspection" && hasBlank(provider.clientAuth)) {
        say("the client id has a blank in it. Check that it is one client id and nothing else.")
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

/**
 * Says whether a scope is listed, perhaps with the resource before it: where tokens say `read`, Entra wants to be asked
 * for `api://app/read`, or for `api://app/.default`, which is all that is granted.
 */
const isListed = (supported: ReadonlyArray<string>, scope: string): boolean =>
  supported.some((listed) => listed === scope || listed.endsWith(`/${scope}`) || listed.endsWith("/.default"))

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
  const required = settings.requiredScopes.concat(settings.providers.flatMap(({ requiredScopes }) => requiredScopes))
  if (!required.every((scope) => isListed(settings.scopesSupported, scope))) {
    says.push(
      "Required scopes are missing from the supported ones, so that clients which ask for what is listed are never let " +
        "in. Add them to MCP_SCOPES_SUPPORTED, or remove that setting."
    )
  }
  if (repeatsPath(settings)) {
    says.push(
      "MCP_PUBLIC_URL ends in MCP_PATH, so that clients are told to use the path twice. Remove it from MCP_PUBLIC_URL " +
        "unless a proxy serves the gateway below that path."
    )
  }
  if (
    settings.publicUrl !== undefined && settings.allowedOrigins._tag === "Loopback" &&
    !isLoopbackHost(new URL(settings.publicUrl).hostname)
  ) {
    says.push(
      "MCP_PUBLIC_URL is for others, but HOST is loopback, so that browsers may call only from pages of this machine. " +
        "Set MCP_ALLOWED_ORIGINS to the origins of your web clients, or to * for all."
    )
  }
  return says
}

/**
 * Writes them to the log: once, where a gateway or what embeds it begins.
 *
 * @param more what is unwise in the host that it runs on
 */
export const logWarnings = (settings: GatewaySettings, more: ReadonlyArray<string> = []): Effect.Effect<void> =>
  Effect.forEach([...warnings(settings), ...more], (warning) => Effect.logWarning(warning), { discard: true })
