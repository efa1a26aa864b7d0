import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import { flatLine } from "../../log/flatLine.ts"
import type { GatewaySettings } from "../GatewaySettings.ts"

const levels: Readonly<Record<GatewaySettings["logLevel"], LogLevel.LogLevel>> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error",
  none: "None"
}

export type LogSettings = Pick<GatewaySettings, "logFormat" | "logLevel" | "logNames">

/** Writes each entry to standard output in the format of `MCP_LOG_FORMAT`. */
export const loggerOf = ({ logFormat, logNames }: LogSettings): Logger.Logger<unknown, void> =>
  logFormat === "json" ? Logger.withConsoleLog(flatLine(logNames)) : Logger.consolePretty({ colors: false })

export const minimumLevel = ({ logLevel }: LogSettings): LogLevel.LogLevel => levels[logLevel]

/** Leaves out entries below `MCP_LOG_LEVEL`. */
export const layerMinimumLevel = (settings: LogSettings): Layer.Layer<never> =>
  Layer.succeed(References.MinimumLogLevel, minimumLevel(settings))

/** Writes log lines to standard output, according to `MCP_LOG_FORMAT` and `MCP_LOG_LEVEL`. */
export const layerLogging = (settings: LogSettings): Layer.Layer<never> =>
  Layer.merge(Logger.layer([loggerOf(settings)]), layerMinimumLevel(settings))
