import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type { GatewaySettings } from "../config/GatewaySettings.ts"

const levels: Readonly<Record<GatewaySettings["logLevel"], LogLevel.LogLevel>> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
}

type LogSettings = Pick<GatewaySettings, "logFormat" | "logLevel">

const loggerOf = ({ logFormat }: LogSettings): Logger.Logger<unknown, void> =>
  logFormat === "json" ? Logger.consoleJson : Logger.consolePretty({ colors: false })

const layerOf = ({ logLevel }: LogSettings, logger: Logger.Logger<unknown, void>) =>
  Layer.merge(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, levels[logLevel]))

/** Writes log lines to standard output as `MCP_LOG_FORMAT` and `MCP_LOG_LEVEL` say. */
export const layerLogging = (settings: LogSettings) => layerOf(settings, loggerOf(settings))

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

/**
 * The same for processes that share their standard output: their entries do not run into each other.
 *
 * @param annotations what every entry of this process carries
 */
export const layerSharedLogging = (settings: LogSettings, annotations: Readonly<Record<string, unknown>> = {}) =>
  Layer.merge(
    layerOf(settings, inOnePiece(loggerOf(settings))),
    Layer.succeed(References.CurrentLogAnnotations, annotations)
  )
