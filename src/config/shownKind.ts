import { presets } from "../providers/presets/presets.ts"
import { providerTypes, typeNames } from "../providers/types.ts"
import type { Kind } from "./kinds/kind.ts"
import { choice } from "./kinds/kinds.ts"
import { type SettingName, settings } from "./settings.ts"

const types = choice(typeNames(providerTypes))
const presetNames = choice(presets.map(({ name }) => name))

/** The kind of a setting for documentation, with the names of provider types, which the table does not contain. */
export const shownKind = (name: SettingName): Kind<unknown> =>
  name === "MCP_PROVIDER_TYPE" ? types : name === "MCP_PROVIDER_PRESET" ? presetNames : settings[name].kind
