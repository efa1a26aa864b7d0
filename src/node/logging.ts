import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { layerMinimumLevel, loggerOf, type LogSettings } from "../config/kinds/logging.ts"
import { flatLine } from "../log/flatLine.ts"
import { makeWriteLine } from "./logWriter.ts"
import { StandardOutput } from "./StandardOutput.ts"

/** Writes an entry of several lines at once. */
const inOnePiece = (logger: Logger.Logger<unknown, void>): Logger.Logger<unknown, void> =>
  Logger.make((options) => {
    process.stdout.cork()
    try {
      logger.log(options)
    } finally {
      process.stdout.uncork()
    }
  })

/** One line of JSON for each entry. A separate write for each would cost more than the request that it describes. */
const jsonLines = ({ logNames }: LogSettings, isShared: boolean) =>
  Layer.unwrap(Effect.map(makeWriteLine({ isShared }), (writeLine) =>
    Layer.merge(
      Logger.layer([Logger.map(flatLine(logNames), writeLine)]),
      // Whatever else writes lines takes turns with the log.
      Layer.succeed(StandardOutput, writeLine)
    )))

/**
 * Writes log entries to standard output as `MCP_LOG_FORMAT` and `MCP_LOG_LEVEL` configure it.
 *
 * Entries of processes that share their standard output are not interleaved.
 *
 * @param annotations annotations of every entry of this process
 * @param isShared other processes write to the same standard output
 */
export const layerLogging = (
  settings: LogSettings,
  { annotations = {}, isShared = false }: {
    readonly annotations?: Readonly<Record<string, unknown>>
    readonly isShared?: boolean
  } = {}
) =>
  Layer.mergeAll(
    settings.logFormat === "json" ? jsonLines(settings, isShared) : Logger.layer([inOnePiece(loggerOf(settings))]),
    layerMinimumLevel(settings),
    Layer.succeed(References.CurrentLogAnnotations, annotations)
  )
