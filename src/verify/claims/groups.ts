/** The groups and roles that a provider puts a caller in. Pure. */
import { claimsAt } from "../../identity/claimPath.ts"
import { isJsonObject, type JsonObject, own } from "../../remote/JsonObject.ts"

/**
 * The claims in which providers write them, unless `MCP_GROUP_CLAIMS` names others: Entra, Okta and others; Keycloak
 * for its realm and for each client; Auth0; Cognito.
 */
export const usualGroupClaims: ReadonlyArray<string> = [
  "groups",
  "roles",
  "realm_access.roles",
  "resource_access.*.roles",
  "permissions",
  "cognito:groups"
]

/** The most that is kept of one caller: groups, and characters of all of them. */
const maxGroups = 1_000
const maxCharacters = 65_536

/** The groups of a caller, each once. */
export interface Groups {
  readonly groups: ReadonlyArray<string>
  /** Whether these are all. A provider may keep them elsewhere, or name more than are kept; `groups` is empty then. */
  readonly isComplete: boolean
}

/**
 * OpenID Connect Core 1.0, section 5.6.2; Entra does so for members of many groups, or states only that there are
 * groups.
 */
const isElsewhere = (claims: JsonObject, path: string): boolean => {
  const [name = path] = path.split(".")
  const names = own(claims, "_claim_names")
  return (isJsonObject(names) && (own(names, path) ?? own(names, name)) !== undefined) ||
    (path === "groups" && own(claims, "hasgroups") === true)
}

const isGroup = (value: unknown): value is string => typeof value === "string" && value !== ""

/**
 * The groups in any of these claims: arrays of strings, or one string for one group. A value of another type is not a
 * group.
 */
export const readGroups = (claims: JsonObject, paths: ReadonlyArray<string>): Groups => {
  const groups = new Set(paths.flatMap((path) => claimsAt(claims, path)).flat().filter(isGroup))
  let characters = 0
  for (const group of groups) characters += group.length
  return groups.size > maxGroups || characters > maxCharacters || paths.some((path) => isElsewhere(claims, path))
    ? { groups: [], isComplete: false }
    : { groups: [...groups], isComplete: true }
}
