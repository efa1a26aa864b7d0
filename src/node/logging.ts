import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { layerMinimumLevel, loggerOf, type LogSettings } from "../config/kinds/logging.ts"
import { flatLine } from "../log/flatLine.ts"
import { makeWriteLine, type WriteLine } from "./logWriter.ts"
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

/** The logger that writes the lines of this process, which other settings replace. Others may collect the same entries. */
const LineLogger = Context.Reference<Logger.Logger<unknown, void> | undefined>(
  "mcp-authorizer/node/logging/LineLogger",
  {
    defaultValue: () => undefined
  }
)

/** One line of JSON for each entry. A separate write for each would cost more than the request that it describes. */
const makeLineLogger = (settings: LogSettings, writeLine: WriteLine): Logger.Logger<unknown, void> =>
  settings.logFormat === "json"
    ? Logger.map(flatLine(settings.logNames), writeLine)
    : inOnePiece(loggerOf(settings))

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
): Layer.Layer<never> =>
  Layer.unwrap(
    // Blocks for people are written past it, as by another process.
    Effect.map(makeWriteLine({ isShared: isShared || settings.logFormat !== "json" }), (writeLine) => {
      const logger = makeLineLogger(settings, writeLine)
      return Layer.mergeAll(
        Logger.layer([logger]),
        Layer.succeed(LineLogger, logger),
        // Other code must write its lines with the same writer, so that lines are not interleaved.
        Layer.succeed(StandardOutput, writeLine),
        layerMinimumLevel(settings),
        Layer.succeed(References.CurrentLogAnnotations, annotations)
      )
    })
  )

/** Writes log entries as other settings configure it, from here on. */
export const layerRelogging = (settings: LogSettings): Layer.Layer<never> =>
  Layer.merge(
    Layer.effect(
      Logger.CurrentLoggers,
      Effect.gen(function*() {
        const writeLine = yield* StandardOutput
        const replaced = yield* LineLogger
        const loggers = yield* Logger.CurrentLoggers
        // Not a process of the program's own.
        if (writeLine === undefined || replaced === undefined) return loggers
        return new Set([...loggers].map((one) => one === replaced ? makeLineLogger(settings, writeLine) : one))
      })
    ),
    layerMinimumLevel(settings)
  )
