import * as Result from "effect/Result"
import type { Complaint, Problem } from "../InvalidConfiguration.ts"
import { decode, type Given } from "../sources/Source.ts"
import { type FieldValue, type ProviderFieldName, providerFields } from "./providerFields.ts"

/** The fields of one provider, and the way to complain about them. */
export interface FieldReader {
  /** What the provider is called: `MCP_PROVIDERS[1]`. */
  readonly provider: string
  readonly given: ReadonlyMap<ProviderFieldName, Given>
  /** The decoded value; `undefined` if it is not given, or is wrong and has been complained about. */
  readonly read: <F extends ProviderFieldName>(field: F) => FieldValue<F> | undefined
  /** Hosts, beside this machine, that the provider may be asked over http at: the gateway's and its own. */
  readonly allowHttp: ReadonlyArray<string>
  readonly complain: (field: ProviderFieldName, complaint: Complaint) => void
  /** What a field is called: `MCP_JWT_ISSUER`, `MCP_PROVIDERS[1].issuer`. */
  readonly label: (field: ProviderFieldName) => string
}

/**
 * Makes the fields of one provider readable.
 *
 * @param provider what the provider is called
 * @param label what a field is called
 * @param problems where complaints go
 * @param everywhere hosts that all providers may be asked over http at
 */
export const make = (
  provider: string,
  given: ReadonlyMap<ProviderFieldName, Given>,
  label: (field: ProviderFieldName) => string,
  problems: Array<Problem>,
  everywhere: ReadonlyArray<string>
): FieldReader => {
  const complain = (field: ProviderFieldName, { cure, problem }: Complaint) => {
    problems.push({ setting: label(field), source: given.get(field)?.source, problem, cure })
  }
  // What is wrong with its own list is complained about once, when the field is read.
  const own = given.get("allow_http")
  const named = own === undefined ? undefined : Result.getOrUndefined(decode("MCP_ALLOW_HTTP", own))
  const allowHttp = [...new Set([...everywhere, ...named ?? []])]
  const read = <F extends ProviderFieldName>(field: F): FieldValue<F> | undefined => {
    const value = given.get(field)
    if (value === undefined) return undefined
    const decoded = decode(providerFields[field].setting, value, allowHttp)
    if (Result.isSuccess(decoded)) return decoded.success
    for (const complaint of decoded.failure) complain(field, complaint)
    return undefined
  }
  return { provider, given, read, allowHttp, complain, label }
}
