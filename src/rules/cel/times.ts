/**
 * The parts of a timestamp in UTC or in another time zone. They replace the library's functions, which use the time
 * zone of the host, where one hour of the year does not exist.
 *
 * @see CEL, language definition, section "Timezones"
 */
import { type CelFunc, celMethod, CelScalar, objectType } from "@bufbuild/cel"
import { timestampDate, TimestampSchema } from "@bufbuild/protobuf/wkt"
import type { Timestamp } from "@bufbuild/protobuf/wkt"
import { spend } from "./work.ts"

const { INT, STRING } = CelScalar
const timestamp = objectType(TimestampSchema)

/** The work of using a time zone by name, in units: the host has to build a formatter for it. */
const unitsOfZone = 100

const fixed = /^([+-]?)(\d\d):(\d\d)$/

/** Returns the same wall-clock time as a time in UTC. */
const shifted = (date: Date, zone: string): Date => {
  const [isFixed, sign, hours, minutes] = fixed.exec(zone) ?? []
  if (isFixed !== undefined) {
    const millis = (Number(hours) * 60 + Number(minutes)) * 60_000
    // @effect-diagnostics-next-line globalDate:off -- of a time that is given, not of the clock
    return new Date(date.getTime() + (sign === "-" ? -millis : millis))
  }
  spend(unitsOfZone)
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric"
  }).formatToParts(date)
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value)
  const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"))
  // @effect-diagnostics-next-line globalDate:off -- of a time that is given, not of the clock
  return new Date(wall + date.getUTCMilliseconds())
}

const dayMillis = 86_400_000

const fields: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / dayMillis),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds()
}

const read = (message: Timestamp, zone: string | undefined, field: (date: Date) => number): bigint => {
  const date = timestampDate(message)
  return BigInt(field(zone === undefined ? date : shifted(date, zone)))
}

export const times: ReadonlyArray<CelFunc> = Object.entries(fields).flatMap(([name, field]) => [
  celMethod(name, timestamp, [], INT, function() {
    return read(this.message, undefined, field)
  }),
  celMethod(name, timestamp, [STRING], INT, function(zone) {
    return read(this.message, zone, field)
  })
])
