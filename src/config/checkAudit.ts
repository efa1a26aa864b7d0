import type { Problem } from "./InvalidConfiguration.ts"
import type { ResolvedSettings } from "./ResolvedSettings.ts"

/**
 * Reports pseudonyms without a configured key: random keys would differ between processes, so that entries about the
 * same caller could not be matched.
 */
export const checkAudit = (
  { auditSubjects, sessionKeys }: Pick<ResolvedSettings, "auditSubjects" | "sessionKeys">
): ReadonlyArray<Problem> =>
  auditSubjects === "hmac" && sessionKeys.length === 0
    ? [{
      setting: "MCP_AUDIT_SUBJECTS",
      source: undefined,
      problem: "is hmac, and there is no MCP_SESSION_KEY, from which the key of the pseudonyms is derived",
      fix: "Set MCP_SESSION_KEY, the same for all replicas, to what this prints: openssl rand -base64 32"
    }]
    : []
