import * as Result from "effect/Result"
import type { Mistake, Problem } from "../InvalidConfiguration.ts"
import { decode, type Given } from "../sources/Source.ts"
import { type FieldValue, type ProviderFieldName, providerFields } from "./providerFields.ts"

export type GivenFields = ReadonlyMap<ProviderFieldName, Given>

/** The fields of one provider, and how to report problems with them. */
export interface FieldReader {
  /** The name of the provider in problems: `MCP_PROVIDERS[1]`. */
  readonly provider: string
  readonly given: GivenFields
  readonly added: ReadonlyMap<string, Given>
  /** Returns the decoded value; `undefined` if it is missing, or wrong and has been reported. */
  readonly read: <F extends ProviderFieldName>(field: F) => FieldValue<F> | undefined
  /**
   * Hosts that may be requested over http, in addition to this machine: those of the gateway and of the provider
   * itself.
   */
  readonly allowHttp: ReadonlyArray<string>
  readonly report: (field: string, mistake: Mistake) => void
  /** Returns the name of a field in problems: `MCP_JWT_ISSUER`, `MCP_PROVIDERS[1].issuer`. */
  readonly label: (field: string) => string
  /** Returns the same provider with further fields, which replace those with the same names. */
  readonly with: (more: GivenFields) => FieldReader
}

/**
 * Builds the reader of one provider's fields.
 *
 * @param provider the name of the provider
 * @param added fields that its type has added
 * @param label the name of a field
 * @param problems the list to which problems are added
 * @param everywhere hosts at which all providers may be requested over http
 */
export const make = (
  provider: string,
  given: GivenFields,
  added: ReadonlyMap<string, Given>,
  label: (field: string) => string,
  problems: Array<Problem>,
  everywhere: ReadonlyArray<string>
): FieldReader => {
  const all: ReadonlyMap<string, Given> = new Map<string, Given>([...added, ...given])
  const report = (field: string, { fix, problem }: Mistake) => {
    problems.push({ setting: label(field), source: all.get(field)?.source, problem, fix })
  }
  // Problems of the provider's own list are reported elsewhere, when the field itself is read.
  const own = given.get("allow_http")
  const named = own === undefined ? undefined : Result.getOrUndefined(decode("MCP_ALLOW_HTTP", own))
  const allowHttp = [...new Set([...everywhere, ...named ?? []])]
  const read = <F extends ProviderFieldName>(field: F): FieldValue<F> | undefined => {
    const value = given.get(field)
    if (value === undefined) return undefined
    const decoded = decode(providerFields[field].setting, value, allowHttp)
    if (Result.isSuccess(decoded)) return decoded.success
    for (const mistake of decoded.failure) report(field, mistake)
    return undefined
  }
  return {
    provider,
    given,
    added,
    read,
    allowHttp,
    report,
    label,
    with: (more) => make(provider, new Map([...given, ...more]), added, label, problems, everywhere)
  }
}
