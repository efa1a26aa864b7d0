import * as Effect from "effect/Effect"
import { repeatsPath } from "../providers/issuerWarnings.ts"
import { typeOf } from "../providers/types.ts"
import type { GatewaySettings, Provider } from "./GatewaySettings.ts"
import { httpWarnings } from "./httpWarnings.ts"
import { isLoopbackHost } from "./kinds/loopback.ts"
import { isLoopbackAddress } from "./kinds/network.ts"
import { limitWarnings } from "./limitWarnings.ts"
import { scopesOfRules } from "./policy.ts"
import { serverWarnings } from "./servers/serverWarnings.ts"

const aboutProvider = (provider: Provider, settings: GatewaySettings, development: boolean): ReadonlyArray<string> =>
  (typeOf(settings, provider).warnings?.(provider, { settings, development }) ?? [])
    .map((text) => `Provider ${JSON.stringify(provider.name)}: ${text}`)

/**
 * Returns whether a scope is listed, perhaps with the resource before it. If tokens have `read`, Entra expects requests
 * for `api://app/read`, or for `api://app/.default`, which means everything that is granted.
 */
const isListed = (supported: ReadonlyArray<string>, scope: string): boolean =>
  supported.some((listed) => listed === scope || listed.endsWith(`/${scope}`) || listed.endsWith("/.default"))

const listensOnLoopback = ({ host, publicUrl }: GatewaySettings): boolean =>
  isLoopbackAddress(host) && (publicUrl === undefined || isLoopbackHost(new URL(publicUrl).hostname))

/** Returns the warnings about the settings of one MCP server. */
const aboutServer = (settings: GatewaySettings, development: boolean): ReadonlyArray<string> => {
  const says: Array<string> = []
  if (!settings.authEnabled) {
    says.push("Authentication is disabled: every request passes. Remove MCP_AUTH_ENABLED=false to enable it.")
  }
  if (settings.authEnabled && settings.providers.length === 0) {
    says.push(
      "No provider is configured: a verifier of this program alone lets callers in, and TokenVerifier.layer rejects every " +
        "token."
    )
  }
  for (const provider of settings.providers) says.push(...aboutProvider(provider, settings, development))
  says.push(...httpWarnings(settings), ...limitWarnings(settings))
  if (settings.forwardAuthorization) {
    says.push(
      "The client's token is forwarded to the MCP server, which MCP forbids. Remove MCP_FORWARD_AUTHORIZATION=true " +
        "unless the server needs the token and can be trusted with it."
    )
  }
  if (settings.tokenHeader !== "authorization") {
    says.push(
      `Tokens come in ${settings.tokenHeader}, and Authorization is ignored: MCP clients can only call through the proxy that sets ` +
        "this field. Remove MCP_TOKEN_HEADER if they are to sign in by themselves."
    )
  }
  if (settings.authEnabled && !settings.bindSessions) {
    says.push(
      "Sessions are not bound to their callers: anyone who learns the id of one can use it. Remove MCP_BIND_SESSIONS=false " +
        "unless the MCP server binds its sessions itself."
    )
  }
  const required = settings.requiredScopes.concat(
    settings.providers.flatMap(({ requiredScopes }) => requiredScopes),
    scopesOfRules(settings)
  ).filter((scope) => scope !== "offline_access")
  if (!required.every((scope) => isListed(settings.scopesSupported, scope))) {
    says.push(
      "Required scopes are missing from the supported ones, so that clients which ask for what is listed are never let " +
        "in. Add them to MCP_SCOPES_SUPPORTED, or remove that setting."
    )
  }
  if (settings.allowedSubjects.length > 0 && settings.providers.length > 1) {
    says.push(
      "MCP_ALLOWED_SUBJECTS names callers of all providers, but a subject is unique only within its issuer: a caller of " +
        "another provider may have the same. Use MCP_ALLOWED_EMAILS, or rules that compare identity.issuer as well."
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
 * Returns the warnings about valid settings, of one or two sentences each, for the log at start.
 *
 * @param options.development whether this is a development machine, where static tokens need no warning; by default
 * it is one if the gateway listens on a loopback address and has no public URL elsewhere
 */
export const warnings = (
  settings: GatewaySettings,
  { development = listensOnLoopback(settings) }: { readonly development?: boolean } = {}
): ReadonlyArray<string> =>
  settings.servers.length === 0
    ? aboutServer(settings, development)
    : serverWarnings(settings, (server) => aboutServer(server, development), development)

/**
 * Writes them to the log: once, where a gateway or what embeds it begins.
 *
 * @param more what is unwise in the host that it runs on
 */
export const logWarnings = (settings: GatewaySettings, more: ReadonlyArray<string> = []): Effect.Effect<void> =>
  Effect.forEach([...warnings(settings), ...more], (warning) => Effect.logWarning(warning), { discard: true })
