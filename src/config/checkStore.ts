import type { GatewaySettings } from "./GatewaySettings.ts"
import type { Problem } from "./InvalidConfiguration.ts"

/** Reports settings of the store that need each other. */
export const checkStore = (
  { storePassword, storeUrl }: Pick<GatewaySettings, "storePassword" | "storeUrl">
): ReadonlyArray<Problem> =>
  storePassword === undefined || storeUrl !== undefined ? [] : [{
    setting: "MCP_STORE_PASSWORD",
    source: undefined,
    problem: "is the password of a store that is not named",
    fix: "Set MCP_STORE_URL, or remove the password"
  }]
