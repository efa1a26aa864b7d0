/** `AUTH_CONFIG`, the single JSON variable of the FTL auth gateway, read as the settings that it contains. */
import * as Result from "effect/Result"
import { nearestName, showMember } from "../../errors/nearestName.ts"
import type { Mistake } from "../InvalidConfiguration.ts"
import { fromText } from "../kinds/kind.ts"
import { type SettingName, settings } from "../settings.ts"
import { isObject } from "./nested.ts"
import type { Given } from "./Source.ts"

const members: ReadonlyMap<string, SettingName> = new Map([
  ["mcp_gateway_url", "MCP_SERVER_URL"],
  ["trace_id_header", "MCP_TRACE_HEADER"],
  ["enabled", "MCP_AUTH_ENABLED"],
  ["providers", "MCP_PROVIDERS"]
])

/** An entry of `providers` in the terms of `MCP_PROVIDERS`; `null` counts as missing. */
const translate = (entry: unknown): unknown => {
  if (!isObject(entry)) return entry
  const given = Object.entries(entry).filter(([, value]) => value !== null)
  const names = new Set(given.map(([name]) => name))
  return Object.fromEntries(given.map(([name, value]) => {
    if (name === "authorization_endpoint" && !names.has("authorize_endpoint")) return ["authorize_endpoint", value]
    return name === "type" && value === "auth_kit" ? ["type", "authkit"] : [name, value]
  }))
}

const unknownMember = (name: string): Mistake => {
  const meant = nearestName(name, members.keys())
  return {
    problem: `has an unknown member ${showMember(name)}`,
    fix: meant === undefined ? `Known are ${[...members.keys()].join(", ")}` : `Did you mean ${meant}?`
  }
}

/** Returns the settings in a value of `AUTH_CONFIG`, and the problems of its outermost members. */
export const readAuthConfig = (text: string): {
  readonly given: ReadonlyArray<readonly [SettingName, Given]>
  readonly mistakes: ReadonlyArray<Mistake>
} => {
  const parsed = fromText(settings.AUTH_CONFIG.kind, text)
  if (Result.isFailure(parsed)) return { given: [], mistakes: parsed.failure }
  const given: Array<readonly [SettingName, Given]> = []
  const mistakes: Array<Mistake> = []
  for (const [member, value] of Object.entries(parsed.success)) {
    const name = members.get(member)
    const source = `${member} in AUTH_CONFIG`
    if (name === undefined) {
      mistakes.push(unknownMember(member))
    } else if (name === "MCP_PROVIDERS" && Array.isArray(value)) {
      given.push([name, { value: value.map(translate), isText: false, source, spellings: [source] }])
    } else if (value !== null) {
      given.push([name, { value, isText: false, source, spellings: [source] }])
    }
  }
  return { given, mistakes }
}
