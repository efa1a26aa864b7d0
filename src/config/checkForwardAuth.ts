import type { GatewaySettings } from "./GatewaySettings.ts"
import type { Problem } from "./InvalidConfiguration.ts"

/** Problems between the settings of the decision point: without a trusted proxy, no one may use it. */
export const checkForwardAuth = (
  { forwardAuth, trustedProxies }: Pick<GatewaySettings, "forwardAuth" | "trustedProxies">
): ReadonlyArray<Problem> =>
  !forwardAuth || trustedProxies._tag !== "None" ? [] : [{
    setting: "MCP_FORWARD_AUTH",
    source: undefined,
    problem: "is true, but there is no proxy that may ask for decisions",
    fix: "Set MCP_TRUSTED_PROXIES to the networks of your proxies, as in 127.0.0.0/8"
  }]
