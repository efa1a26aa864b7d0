/**
 * The fields of an entry of `MCP_SERVERS`: its own, and all settings that the table marks with `perServer`, with the
 * same kind and meaning.
 */
import type { Kind } from "../kinds/kind.ts"
import { providerNames, serverHost, serverName } from "../kinds/serverEntry.ts"
import { fileKey, type GatewayName, gatewayNames, settings } from "../settings.ts"
import { mayBeFile } from "../sources/settingFiles.ts"

/** A field that is not a setting of the whole gateway. */
export interface OwnServerField<A> {
  readonly kind: Kind<A>
  /** One sentence for the reference, the JSON Schema and editors, in Markdown. */
  readonly doc: string
  readonly otherwise: string
}

export const ownServerFields = {
  name: {
    kind: serverName,
    otherwise: "must be set",
    doc: "The name of the server in logs, rules and `--check`; unique."
  },
  host: {
    kind: serverHost,
    otherwise: "any host",
    doc:
      "The host that requests for the server name, with a port if only that one is meant. It also takes the place of the host " +
      "in `public_url`."
  },
  providers: {
    kind: providerNames,
    otherwise: "all",
    doc: "The names of the providers whose tokens the server accepts."
  }
} as const satisfies Record<string, OwnServerField<unknown>>

export type OwnServerFieldName = keyof typeof ownServerFields

// `Object.keys` has no narrower type; the table is a constant.
export const ownServerFieldNames = Object.keys(ownServerFields) as ReadonlyArray<OwnServerFieldName>

/** The settings that an entry may have, by their names in an entry, in the order of the reference. */
export const serverSettings: ReadonlyMap<string, GatewayName> = new Map(
  gatewayNames.flatMap((name) => {
    const { perServer } = settings[name]
    return perServer === undefined ? [] : [[perServer === true ? fileKey(name) : perServer, name]]
  })
)

/** `secret_file` names a file that holds the secret. */
export const serverFiles: ReadonlyMap<string, string> = new Map(
  [...serverSettings].flatMap(([key, name]) => mayBeFile(name) ? [[`${key}_file`, key]] : [])
)

export const serverKey = (name: GatewayName): string => {
  const { perServer } = settings[name]
  return typeof perServer === "string" ? perServer : fileKey(name)
}

export const serverFieldNames: ReadonlyArray<string> = [...ownServerFieldNames, ...serverSettings.keys()]
