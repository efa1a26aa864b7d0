import * as Logger from "effect/Logger"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"

/** Whether a value has exactly one form in JSON: it cannot contain itself, and nothing in it is redacted. */
const isPlain = (value: unknown): boolean =>
  value === undefined || Predicate.isString(value) || Predicate.isNumber(value) || Predicate.isBoolean(value) ||
  (Array.isArray(value) && value.every(Predicate.isString))

const areAllPlain = (annotations: Readonly<Record<string, unknown>>): boolean => {
  for (const name of Object.keys(annotations)) {
    if (!isPlain(annotations[name])) return false
  }
  return true
}

/**
 * Formats a log entry as a line of JSON, the same as `Logger.formatJson`.
 *
 * That logger inspects every value, which takes most of the time of an entry. It is used for entries with a cause, or
 * with values other than strings, numbers and booleans. The entry of each request has none of these.
 */
export const jsonLine: Logger.Logger<unknown, string> = Logger.make((options) => {
  const { cause, date, fiber, logLevel } = options
  const [message, ...more] = Array.isArray(options.message) ? options.message : [options.message]
  const annotations = fiber.getRef(References.CurrentLogAnnotations)
  const isSimple = Predicate.isString(message) && more.length === 0 && cause.reasons.length === 0 &&
    fiber.getRef(References.CurrentLogSpans).length === 0 && areAllPlain(annotations)
  if (!isSimple) return Logger.formatJson.log(options)
  return JSON.stringify({
    message,
    level: logLevel.toUpperCase(),
    timestamp: date.toISOString(),
    annotations,
    spans: {},
    fiberId: `#${fiber.id}`
  })
})
