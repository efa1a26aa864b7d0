import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import type { LogSettings } from "../../config/kinds/logging.ts"
import { layerRelogging } from "../logging.ts"

const logSettings = ({ logFormat, logLevel, logNames }: LogSettings): LogSettings => ({ logFormat, logLevel, logNames })

/** Applies the log settings of a configuration in a process that began with another one. */
export const relogging = (started: LogSettings, settings: LogSettings): Layer.Layer<never> =>
  Equal.equals(logSettings(started), logSettings(settings)) ? Layer.empty : layerRelogging(settings)
