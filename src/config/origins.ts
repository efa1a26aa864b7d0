/** The origins of settings, which show operators where to change them. */
import type { GatewaySettings } from "./GatewaySettings.ts"
import type { SettingName } from "./settings.ts"

/** A kind of source. `program`: code that embeds the gateway. */
export type Origin = "command line" | "environment" | "file" | "program"

/** The origin of each setting that was given. All others have their defaults. */
export type Origins = ReadonlyMap<SettingName, Origin>

const known = new WeakMap<object, Origins>()

export const noteOrigins = (settings: GatewaySettings, origins: Origins): GatewaySettings => {
  known.set(settings, origins)
  return settings
}

/** Returns the origins of values; `undefined` for settings that were not resolved from sources. */
export const originsOf = (settings: GatewaySettings): Origins | undefined => known.get(settings)

/** Records for a changed copy of settings that its values have the origins of the original. */
export const withOriginsOf = (original: GatewaySettings, copy: GatewaySettings): GatewaySettings => {
  const origins = originsOf(original)
  return origins === undefined ? copy : noteOrigins(copy, origins)
}
