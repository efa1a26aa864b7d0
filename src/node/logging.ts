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

/** Writes log lines to standard output as `MCP_LOG_FORMAT` and `MCP_LOG_LEVEL` say. */
export const layerLogging = ({ logFormat, logLevel }: Pick<GatewaySettings, "logFormat" | "logLevel">) =>
  Layer.merge(
    Logger.layer([logFormat === "json" ? Logger.consoleJson : Logger.consolePretty({ colors: false })]),
    Layer.succeed(References.MinimumLogLevel, levels[logLevel])
  )
