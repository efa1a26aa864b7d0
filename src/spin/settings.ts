import * as Result from "effect/Result"
import { noAuditFiles } from "../audit/AuditLog.ts"
import { type GatewaySettings, serversOf } from "../config/GatewaySettings.ts"
import { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { standardOutput } from "../config/kinds/auditing.ts"
import { resolveSources } from "../config/resolve.ts"
import type { Host } from "./Host.ts"

/**
 * Defaults on Spin, which the operator's settings override: the host listens on an address that the component does not
 * know, so it counts as public.
 */
const usual = { host: "0.0.0.0" }

/** Without a configured key, sessions are not bound, because a random key would differ for each request. */
const withoutOwnKey = (settings: GatewaySettings): GatewaySettings =>
  settings.sessionKeys.length === 0
    ? { ...settings, bindSessions: false, servers: settings.servers.map(withoutOwnKey) }
    : settings

/** Rejects an audit file, because a component has no files. */
const withoutAuditFile = (settings: GatewaySettings): Result.Result<GatewaySettings, InvalidConfiguration> =>
  settings.auditLog === undefined || settings.auditLog === standardOutput
    ? Result.succeed(settings)
    : Result.fail(noAuditFiles)

/**
 * Rejects rate limits and a store: an instance that lives for one request cannot count, and has no connection to a
 * store.
 */
const withoutLimits = (settings: GatewaySettings): Result.Result<GatewaySettings, InvalidConfiguration> => {
  const isLimited = serversOf(settings).some(({ rateLimits }) => rateLimits.length > 0)
  const names = [
    ...(isLimited ? ["MCP_RATE_LIMITS"] : []),
    ...(settings.storeUrl === undefined ? [] : ["MCP_STORE_URL"])
  ]
  return names.length === 0 ? Result.succeed(settings) : Result.fail(
    new InvalidConfiguration({
      problems: names.map((setting) => ({
        setting,
        source: undefined,
        problem: "cannot be used on Spin, where nothing is counted between requests",
        fix: "Remove it, and limit requests in front of the component or run the gateway on Node"
      }))
    })
  )
}

/**
 * Rejects `identity_jwt`: an instance lives for one request, so it would import a key and sign each time, which takes
 * far longer than everything else.
 */
const withoutSigning = (settings: GatewaySettings): Result.Result<GatewaySettings, InvalidConfiguration> =>
  serversOf(settings).every(({ upstreamAuth }) => upstreamAuth._tag !== "IdentityJwt") ?
    Result.succeed(settings) :
    Result.fail(
      new InvalidConfiguration({
        problems: [{
          setting: "MCP_UPSTREAM_AUTH",
          source: undefined,
          problem: "is identity_jwt, which cannot be used on Spin, where every request would be signed anew",
          fix: "Use type header or exchange, or run the gateway on Node"
        }]
      })
    )

/** Rejects TLS settings: only the host decides which certificates are trusted and presented. */
const withoutTls = (settings: GatewaySettings): Result.Result<GatewaySettings, InvalidConfiguration> => {
  const servers = serversOf(settings)
  const names = [
    ...(servers.every((server) => server.upstreamCaFile === undefined) ? [] : ["MCP_UPSTREAM_CA_FILE"]),
    ...(servers.every((server) => server.upstreamClientCertFile === undefined)
      ? []
      : ["MCP_UPSTREAM_CLIENT_CERT_FILE"]),
    ...(servers.every((server) => server.upstreamServerName === undefined) ? [] : ["MCP_UPSTREAM_SERVER_NAME"])
  ]
  return names.length === 0 ? Result.succeed(settings) : Result.fail(
    new InvalidConfiguration({
      problems: names.map((setting) => ({
        setting,
        source: undefined,
        problem: "cannot be used on Spin, where the host speaks TLS",
        fix: "Remove it, or run the gateway on Node"
      }))
    })
  )
}

/** Rejects an admin port: a component does not listen on ports, and no instance counts for the others. */
const withoutAdminPort = (settings: GatewaySettings): Result.Result<GatewaySettings, InvalidConfiguration> =>
  settings.adminPort === undefined ? Result.succeed(settings) : Result.fail(
    new InvalidConfiguration({
      problems: [{
        setting: "MCP_ADMIN_PORT",
        source: undefined,
        problem: "cannot be used on Spin, where a component listens on no port of its own",
        fix: "Remove it, or run the gateway on Node"
      }]
    })
  )

/** Reads the settings from all of the component's variables, so that misspelled names are found. */
export const readSettings = (
  { variables }: Pick<Host, "variables">
): Result.Result<GatewaySettings, InvalidConfiguration> =>
  Result.try({
    try: () => Object.fromEntries(variables()),
    catch: () =>
      new InvalidConfiguration({
        problems: [{
          setting: "variables",
          source: undefined,
          problem: "cannot be read from the host",
          fix: "Declare every variable that [component.mcp-authorizer.variables] refers to"
        }]
      })
  }).pipe(
    Result.flatMap((variables) => resolveSources({ variables, document: usual })),
    Result.flatMap(withoutAuditFile),
    Result.flatMap(withoutLimits),
    Result.flatMap(withoutSigning),
    Result.flatMap(withoutTls),
    Result.flatMap(withoutAdminPort),
    Result.map(withoutOwnKey)
  )
