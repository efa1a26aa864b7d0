import * as Result from "effect/Result"
import { type Decoded, settings } from "./settings.ts"
import { fromFile } from "./sources/document.ts"
import { noFiles } from "./sources/settingFiles.ts"
import { decode, merge } from "./sources/Source.ts"
import { fromVariables } from "./sources/variables.ts"

/**
 * Returns the host and the port that a service with these settings listens on; `undefined` if one of them is malformed.
 *
 * No other setting is read, so the address is found even if other settings are invalid at the moment, and without
 * secrets.
 */
export const listenAddress = (
  variables: Readonly<Record<string, string | undefined>>,
  document: unknown
): { readonly host: string; readonly port: number } | undefined => {
  const { given } = merge([
    fromVariables(variables, noFiles),
    ...(document === undefined ? [] : [fromFile(document, noFiles)])
  ])
  const read = <N extends "HOST" | "PORT">(name: N): Decoded<N> | undefined => {
    const { default: value } = settings[name]
    const decoded = decode(name, given.get(name) ?? { value, isText: true, source: undefined, spellings: [] })
    return Result.getOrUndefined(decoded)
  }
  const host = read("HOST")
  const port = read("PORT")
  return host === undefined || port === undefined ? undefined : { host, port }
}
