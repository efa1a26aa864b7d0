import * as Result from "effect/Result"
import { noAuditFiles } from "../audit/AuditLog.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { standardOutput } from "../config/kinds/auditing.ts"
import { resolveInput } from "../config/resolve.ts"
import type { ProviderType } from "../providers/ProviderType.ts"

const switchedOff = new InvalidConfiguration({
  problems: [{
    setting: "MCP_AUTH_ENABLED",
    source: undefined,
    problem: "is false, but an embedded server needs authenticated callers",
    fix: "Remove it, and configure static tokens for development; or leave the authentication layer out"
  }]
})

const several = new InvalidConfiguration({
  problems: [{
    setting: "MCP_SERVERS",
    source: undefined,
    problem: "is given, but an embedded server is one",
    fix: "Remove it, and write what this server needs into the other settings"
  }]
})

const facade = new InvalidConfiguration({
  problems: [{
    setting: "MCP_FACADE",
    source: undefined,
    problem: "is given, but an embedded server has no place for its endpoints",
    fix: "Remove it, and run the gateway in front of the server: with HttpApp, or as a program"
  }]
})

const noProxyAsks = new InvalidConfiguration({
  problems: [{
    setting: "MCP_FORWARD_AUTH",
    source: undefined,
    problem: "is true, but an embedded server responds to its own requests alone",
    fix: "Remove it; run the gateway itself for a proxy that asks for decisions"
  }]
})

const upstreamAuth = new InvalidConfiguration({
  problems: [{
    setting: "MCP_UPSTREAM_AUTH",
    source: undefined,
    problem: "is given, but an embedded server has no MCP server behind it",
    fix: "Remove it: handlers get the identity of the caller itself"
  }]
})

/** Returns the settings, if they can apply to an embedded server. */
export const embeddable = (settings: GatewaySettings): Result.Result<GatewaySettings, InvalidConfiguration> =>
  settings.servers.length > 0
    ? Result.fail(several)
    : settings.providers.some((provider) => provider.facade !== undefined)
    ? Result.fail(facade)
    : settings.upstreamAuth._tag !== "None"
    ? Result.fail(upstreamAuth)
    : !settings.authEnabled
    ? Result.fail(switchedOff)
    : settings.forwardAuth
    ? Result.fail(noProxyAsks)
    : settings.auditLog === undefined || settings.auditLog === standardOutput
    ? Result.succeed(settings)
    : Result.fail(noAuditFiles)

/** Resolves settings in TypeScript code, for functions that throw `InvalidConfiguration` with all problems. */
export const embeddableSettings = (input: object, types: ReadonlyArray<ProviderType> = []): GatewaySettings =>
  Result.getOrThrow(Result.flatMap(resolveInput(input, types), embeddable))
