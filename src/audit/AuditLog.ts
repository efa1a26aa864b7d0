import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { GatewayConfig } from "../config/GatewayConfig.ts"
import { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import { standardOutput } from "../config/kinds/auditing.ts"
import { perConfiguration } from "../config/perConfiguration.ts"
import { type AuditEntry, auditLine } from "./AuditEntry.ts"

/** Takes an audit entry. Called at the end of a request; must not wait for anything. */
export type WriteAuditEntry = (entry: AuditEntry) => void

/** The problem of a path on a host without files. */
export const noAuditFiles = new InvalidConfiguration({
  problems: [{
    setting: "MCP_AUDIT_LOG",
    source: undefined,
    problem: "is a path, and only the program on Node writes files",
    fix: "Set it to stdout, or take the entries with AuditLog.layer"
  }]
})

/** Combines two destinations into one. */
export const bothOf = (
  one: WriteAuditEntry | undefined,
  other: WriteAuditEntry | undefined
): WriteAuditEntry | undefined =>
  one === undefined || other === undefined ? one ?? other : (entry) => {
    one(entry)
    other(entry)
  }

/**
 * A destination of audit entries in addition to the one in `MCP_AUDIT_LOG`.
 *
 * Provide it to the gateway's layers to get each decision as an object; `undefined` if there is no further destination.
 */
export class AuditLog extends Context.Reference<WriteAuditEntry | undefined>("mcp-authorizer/audit/AuditLog", {
  defaultValue: () => undefined
}) {
  /**
   * Passes each audit entry to your own function.
   *
   * An exception in the function is logged as a fault. The request is not affected.
   *
   * **Example** (entries in your own table)
   *
   * ```ts
   * import * as Layer from "effect/Layer"
   * import { AuditLog, GatewayConfig, HttpApp, layerGateway } from "mcp-authorizer"
   *
   * const denied: Array<string> = []
   *
   * const { handler } = HttpApp.toWebHandler(layerGateway.pipe(
   *   Layer.provide(AuditLog.layer((entry) => {
   *     if (entry.decision !== "allowed") denied.push(`${entry.subject} ${entry.tool}`)
   *   })),
   *   Layer.provide(GatewayConfig.layer({
   *     server_url: "https://mcp.internal.example/mcp",
   *     jwt_issuer: "https://your-tenant.authkit.app"
   *   }))
   * ))
   * ```
   */
  static readonly layer = (write: WriteAuditEntry): Layer.Layer<never> => Layer.succeed(AuditLog, write)

  /**
   * Also writes entries to the console if `MCP_AUDIT_LOG` is `stdout`, for hosts without files. Fails with
   * `InvalidConfiguration` if it is a path.
   */
  static readonly layerConsole: Layer.Layer<never, InvalidConfiguration, GatewayConfig> = perConfiguration(Layer.effect(
    AuditLog,
    Effect.gen(function*() {
      const { auditLog } = yield* GatewayConfig
      const own = yield* AuditLog
      if (auditLog === undefined) return own
      if (auditLog !== standardOutput) return yield* noAuditFiles
      const console = yield* Console.Console
      return bothOf((entry) => console.log(auditLine(entry)), own)
    })
  ))
}

/**
 * Whether the audit log requires that every message is read, and that a message is rejected if servers could read it
 * differently.
 *
 * `false` if the entries are only shown on the status page: then requests are handled as if there were no audit log.
 */
export const AuditReadsMessages = Context.Reference<boolean>("mcp-authorizer/audit/AuditReadsMessages", {
  defaultValue: () => true
})
