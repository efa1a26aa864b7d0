import type { Json } from "../identity/Json.ts"
import { shownText } from "./shown.ts"

type Shown = Readonly<Record<string, string | number | boolean | null>>

const isObject = (value: Json | undefined): value is { readonly [name: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const member = (value: Json | undefined, name: string): Json | undefined =>
  // In JavaScript, strings, arrays and objects have inherited members.
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

const shown = (value: Json): string | number | boolean | null => {
  if (typeof value === "object" && value !== null) return shownText(JSON.stringify(value))
  return typeof value === "string" ? shownText(value) : value
}

/**
 * Builds the function that selects the arguments of a call that an auditor may see.
 *
 * @param named paths as in `MCP_AUDIT_ARGUMENTS`: the name of a tool, a dot, and names of members separated by dots. A
 * tool's name may contain dots as well.
 */
export const makeAuditedArguments = (named: ReadonlyArray<string>) => {
  const pathsOf = (tool: string): ReadonlyArray<string> =>
    named.flatMap((name) => name.startsWith(`${tool}.`) ? [name.slice(tool.length + 1)] : [])

  return (tool: string, values: Json | undefined): Shown | undefined => {
    const found: Record<string, string | number | boolean | null> = {}
    for (const path of pathsOf(tool)) {
      const value = path.split(".").reduce(member, values)
      if (value !== undefined) found[path] = shown(value)
    }
    return Object.keys(found).length === 0 ? undefined : found
  }
}
