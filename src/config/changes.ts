/** The differences between two configurations of one gateway. Pure. */
import * as Equal from "effect/Equal"
import type { GatewaySettings } from "./GatewaySettings.ts"
import { InvalidConfiguration } from "./InvalidConfiguration.ts"
import { type GatewayName, gatewayNames, propertyOf, settings as table } from "./settings.ts"

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Equal.isEqual(value)

/**
 * Whether two decoded values are the same. A compiled condition of a rule is a new function each time, and its text is next to
 * it.
 */
const isSame = (one: unknown, other: unknown): boolean => {
  if (typeof one === "function" && typeof other === "function") return true
  if (!isRecord(one) || !isRecord(other)) return Equal.equals(one, other)
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  // The values have no members to compare, such as sets.
  return names.size === 0 ? Equal.equals(one, other) : [...names].every((name) => isSame(one[name], other[name]))
}

const differs = (name: GatewayName, before: GatewaySettings, after: GatewaySettings): boolean => {
  // The properties of the table's names are those of `ResolvedSettings`.
  const property = propertyOf(name) as keyof GatewaySettings
  return !isSame(before[property], after[property])
}

/** The names of providers or servers that only one configuration has, or that differ. */
const changedAmong = <A>(
  nameOf: (one: A) => string,
  compare: (before: A, after: A) => boolean,
  before: ReadonlyArray<A>,
  after: ReadonlyArray<A>
): ReadonlyArray<string> => {
  const earlier = new Map(before.map((one) => [nameOf(one), one]))
  const later = new Map(after.map((one) => [nameOf(one), one]))
  return [...new Set([...earlier.keys(), ...later.keys()])].filter((name) => {
    const [one, other] = [earlier.get(name), later.get(name)]
    return one === undefined || other === undefined || !compare(one, other)
  })
}

/**
 * Returns the names of everything that differs between two configurations: settings, `provider NAME`, `server NAME`.
 */
export const changesBetween = (before: GatewaySettings, after: GatewaySettings): ReadonlyArray<string> => {
  const servers = changedAmong(
    ({ serverName }) => serverName,
    (one, other) => one.serverHost === other.serverHost && changesBetween(one, other).length === 0,
    before.servers,
    after.servers
  )
  const providers = changedAmong(({ name }) => name, isSame, before.providers, after.providers)
  return [
    ...gatewayNames.filter((name) => differs(name, before, after)),
    ...providers.map((name) => `provider ${name}`),
    ...servers.map((name) => `server ${name}`)
  ]
}

/** The settings that take effect only at start. */
export const startSettings: ReadonlyArray<GatewayName> = gatewayNames.filter((name) => table[name].atStart === true)

/**
 * Returns the problems of a configuration that changes settings for the start only; `undefined` if it changes none of
 * them.
 */
export const restartNeeded = (before: GatewaySettings, after: GatewaySettings): InvalidConfiguration | undefined => {
  const changed = startSettings.filter((name) => differs(name, before, after))
  return changed.length === 0 ? undefined : new InvalidConfiguration({
    problems: changed.map((setting) => ({
      setting,
      source: undefined,
      problem: "has changed, and takes effect at start only",
      fix: "Restart the gateway, or set it to what it was"
    }))
  })
}
