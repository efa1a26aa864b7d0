import type { GatewaySettings } from "./GatewaySettings.ts"
import type { Problem } from "./InvalidConfiguration.ts"

/** Reports a decision point without trusted proxies, which no one could use. */
export const checkForwardAuth = (
  { forwardAuth, trustedProxies }: Pick<GatewaySettings, "forwardAuth" | "trustedProxies">
): ReadonlyArray<Problem> =>
  !forwardAuth || trustedProxies._tag !== "None" ? [] : [{
    setting: "MCP_FORWARD_AUTH",
    source: undefined,
    problem: "is true, but there is no proxy that may ask for decisions",
    fix: "Set MCP_TRUSTED_PROXIES to the networks of your proxies, as in 127.0.0.0/8"
  }]
