import { presets } from "../providers/presets/presets.ts"
import { providerTypes, typeNames } from "../providers/types.ts"
import type { Kind } from "./kinds/kind.ts"
import { choice } from "./kinds/kinds.ts"
import { type SettingName, settings } from "./settings.ts"

const types = choice(typeNames(providerTypes))
const presetNames = choice(presets.map(({ name }) => name))

/** The kind of a setting as documentation has it; the table itself does not know which provider types there are. */
export const shownKind = (name: SettingName): Kind<unknown> =>
  name === "MCP_PROVIDER_TYPE" ? types : name === "MCP_PROVIDER_PRESET" ? presetNames : settings[name].kind
