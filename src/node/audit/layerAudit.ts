import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { accessSync, closeSync, constants, openSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { auditLine } from "../../audit/AuditEntry.ts"
import { AuditLog, bothOf, type WriteAuditEntry } from "../../audit/AuditLog.ts"
import { carryOver } from "../../config/carryOver.ts"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { standardOutput } from "../../config/kinds/auditing.ts"
import { annotate } from "../../log/logFields.ts"
import { counter } from "../../metrics/series.ts"
import { errorCode } from "../errorCode.ts"
import { makeWriteLine } from "../logWriter.ts"
import { StandardOutput } from "../StandardOutput.ts"
import { AppendedFile, openForAppending } from "./AppendedFile.ts"

/** The limit of entries that wait while the file cannot be written, in bytes. Further ones are dropped and counted. */
const maxWaitingBytes = 8 * 2 ** 20

// A system call that takes longer would not return before the process is killed.
const closeMillis = 2_000

const unusable = (error: unknown) =>
  new InvalidConfiguration({
    problems: [{
      setting: "MCP_AUDIT_LOG",
      source: undefined,
      problem: `cannot be opened for appending (${errorCode(error)})`,
      fix: "Name a file in a directory that exists, and let the user of this process write both; or set it to stdout"
    }]
  })

export const auditFile = ({ auditLog }: Pick<GatewaySettings, "auditLog">): string | undefined =>
  auditLog === standardOutput ? undefined : auditLog

/** Checks that the file can be appended to, without creating it. Fails with `InvalidConfiguration`. */
export const checkAuditFile = (
  settings: Pick<GatewaySettings, "auditLog">
): Effect.Effect<void, InvalidConfiguration> => {
  const path = auditFile(settings)
  return path === undefined ? Effect.void : Effect.try({
    try: () => {
      if (statSync(path, { throwIfNoEntry: false }) === undefined) {
        accessSync(dirname(path), constants.W_OK | constants.X_OK)
      } else closeSync(openSync(path, constants.O_WRONLY | constants.O_APPEND | (constants.O_NONBLOCK ?? 0)))
    },
    catch: unusable
  })
}

const openFile = Effect.fnUntraced(function*(
  path: string
): Effect.fn.Return<WriteAuditEntry, InvalidConfiguration, Scope.Scope> {
  const descriptor = yield* Effect.try({ try: () => openForAppending(path), catch: unusable })
  const context = yield* Effect.context<never>()
  const run = Effect.runForkWith(context)
  const counted = (outcome: "dropped" | "written") => {
    const written = counter("mcp_authorizer.audit.entries", { outcome })
    // The series must exist with 0 before the first error: alerts on its increase would miss the first one otherwise.
    written.updateUnsafe(0, context)
    return (lines: number) => written.updateUnsafe(lines, context)
  }
  const file = new AppendedFile({
    path,
    maxWaitingBytes,
    reports: {
      failed: (code) =>
        run(
          Effect.logError(
            "The audit log cannot be written. The gateway continues; 8 MiB of entries wait, further ones are dropped."
          ).pipe(annotate({ code }))
        ),
      recovered: (dropped) =>
        run(Effect.logWarning("The audit log is written again.").pipe(annotate({ dropped_entries: dropped }))),
      written: counted("written"),
      dropped: counted("dropped")
    }
  }, descriptor)
  const reopen = () => file.reopen()
  const flushNow = () => file.flushNow()
  process.on("SIGHUP", reopen)
  process.once("exit", flushNow)
  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      const lost = yield* Effect.promise(() => file.close(closeMillis))
      process.off("SIGHUP", reopen)
      process.off("exit", flushNow)
      if (lost > 0) {
        yield* Effect.logError("Entries of the audit log are lost.").pipe(annotate({ dropped_entries: lost }))
      }
    })
  )
  return (entry) => file.append(auditLine(entry))
})

/** Log lines that are written to the same place must not be interleaved with those of the audit log. */
const openStandardOutput = Effect.gen(function*(): Effect.fn.Return<WriteAuditEntry, never, Scope.Scope> {
  const writeLine = (yield* StandardOutput) ?? (yield* makeWriteLine({ isShared: true }))
  return (entry) => writeLine(auditLine(entry))
})

/**
 * Writes audit entries as configured in `MCP_AUDIT_LOG`, in addition to the program's own audit log.
 *
 * A file is opened at once, and fails with `InvalidConfiguration` if this is impossible. It is opened again on SIGHUP.
 * Waiting entries are written when the scope closes.
 */
export const layerAudit: Layer.Layer<never, InvalidConfiguration, GatewayConfig> = Layer.effect(
  AuditLog,
  Effect.gen(function*() {
    const { auditLog } = yield* GatewayConfig
    const own = yield* AuditLog
    if (auditLog === undefined) return own
    const path = auditFile({ auditLog })
    const written = path === undefined
      ? yield* carryOver("audit log", undefined, openStandardOutput)
      : yield* carryOver("audit file", path, openFile(path))
    return bothOf(written, own)
  })
)
