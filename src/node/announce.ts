import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { logWarnings } from "../config/warnings.ts"
import { annotate } from "../log/logFields.ts"
import { hostWarnings } from "./hostWarnings.ts"

/** The public address of one of several servers, and its upstream. */
const placeOf = ({ gatewayUrl, path, serverHost = "", serverName }: GatewaySettings): string =>
  `${serverName}: ${serverHost}${path} to ${gatewayUrl}`

/** Logs once, at start, where the gateway listens and which of its settings are unwise. */
export const announce = Effect.fnUntraced(function*(
  settings: GatewaySettings,
  url: string,
  more: Readonly<Record<string, unknown>> = {}
) {
  yield* logWarnings(settings, hostWarnings(settings))
  yield* Effect.logInfo("listening").pipe(annotate({
    url,
    ...(settings.servers.length === 0
      ? { mcp_path: settings.path, upstream: settings.gatewayUrl }
      : { servers: settings.servers.map(placeOf) }),
    providers: settings.providers.map(({ name, type }) => `${name} (${type})`),
    ...more
  }))
})
