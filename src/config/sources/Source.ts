import * as Result from "effect/Result"
import type { Problem } from "../InvalidConfiguration.ts"
import { type Checked, fromJson, fromText, permit } from "../kinds/kind.ts"
import type { Origin, Origins } from "../origins.ts"
import { type Decoded, type SettingName, settings } from "../settings.ts"

/** A value as it was found, not yet decoded. */
export interface Given {
  /** A string if `isText`, else a value from JSON or TypeScript code. */
  readonly value: unknown
  /** It came from a variable, where everything is text. */
  readonly isText: boolean
  /** How it was given, where that is not the canonical name. */
  readonly source: string | undefined
  readonly spellings: ReadonlyArray<string>
  /** It was given by the path of a file, which was read, or whose problem was reported. */
  readonly fromFile?: "Read" | "Unusable"
}

/** The contents of one source of settings, and the problems found before any value is read. */
export interface Source {
  readonly given: ReadonlyMap<SettingName, Given>
  readonly problems: ReadonlyArray<Problem>
  /** The kind of source, in words for operators. */
  readonly origin?: Origin
}

/**
 * Reads a value as the kind that its setting has.
 *
 * @param allowHttp hosts whose URLs may be http URLs, in addition to this machine
 */
export const decode = <N extends SettingName>(
  name: N,
  { fromFile, isText, value }: Given,
  allowHttp: ReadonlyArray<string> = []
): Checked<Decoded<N>> => {
  if (fromFile === "Unusable") return Result.fail([])
  const { kind } = settings[name]
  const decoded = isText && typeof value === "string" ? fromText(kind, value) : fromJson(kind, value)
  return Result.flatMap(decoded, (usable) => permit(kind, usable, allowHttp))
}

/** Several sources as one: for each setting the first that has it. */
export const merge = (sources: ReadonlyArray<Source>): Source => {
  const merged = new Map<SettingName, Given>()
  for (const { given } of sources) {
    for (const [name, value] of given) if (!merged.has(name)) merged.set(name, value)
  }
  return { given: merged, problems: sources.flatMap(({ problems }) => problems) }
}

/** The origin of each setting, by the source that decides about it. */
export const originsIn = (sources: ReadonlyArray<Source>): Origins => {
  const origins = new Map<SettingName, Origin>()
  for (const { given, origin } of sources) {
    if (origin === undefined) continue
    for (const name of given.keys()) if (!origins.has(name)) origins.set(name, origin)
  }
  return origins
}
