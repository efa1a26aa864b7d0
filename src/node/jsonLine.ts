import * as Logger from "effect/Logger"
import * as Predicate from "effect/Predicate"
import * as References from "effect/References"

/** What JSON has one form for: nothing in it has to be redacted, or can refer to itself. */
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
 * A log entry as a line of JSON, the same as that of `Logger.formatJson`.
 *
 * That looks at every value with care, which takes most of the time of an entry. It is left to it where an entry has a
 * cause, or values other than texts, numbers and truth values; the entries that every request ends with have none.
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
