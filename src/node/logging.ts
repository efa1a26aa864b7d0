import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { layerLogger, loggerOf, type LogSettings } from "../config/logging.ts"

export { layerLogging } from "../config/logging.ts"

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
 * `layerLogging` for processes that share their standard output: their entries do not run into each other.
 *
 * @param annotations what every entry of this process carries
 */
export const layerSharedLogging = (settings: LogSettings, annotations: Readonly<Record<string, unknown>> = {}) =>
  Layer.merge(
    layerLogger(settings, inOnePiece(loggerOf(settings))),
    Layer.succeed(References.CurrentLogAnnotations, annotations)
  )
