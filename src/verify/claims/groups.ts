/** The groups and roles of a caller, as the provider states them. Pure. */
import { claimsAt } from "../../identity/claimPath.ts"
import { isJsonObject, type JsonObject, own } from "../../remote/JsonObject.ts"

/**
 * The default claims with groups; `MCP_GROUP_CLAIMS` replaces them. Entra, Okta and others; Keycloak, for its realm and
 * for each client; Auth0; Cognito.
 */
export const defaultGroupClaims: ReadonlyArray<string> = [
  "groups",
  "roles",
  "realm_access.roles",
  "resource_access.*.roles",
  "permissions",
  "cognito:groups"
]

/** The maximum kept for one caller: the number of groups, and the characters of all of them. */
const maxGroups = 1_000
const maxCharacters = 65_536

/** The groups of a caller, each once. */
export interface Groups {
  readonly groups: ReadonlyArray<string>
  /**
   * Whether these are all groups of the caller. The provider may have left them out of the token, or may name more than
   * are kept: then `groups` is empty.
   */
  readonly isComplete: boolean
}

/**
 * Whether the token only states that there are groups (OpenID Connect Core 1.0, section 5.6.2). Entra does so for
 * members of many groups.
 */
const isElsewhere = (claims: JsonObject, path: string): boolean => {
  const [name = path] = path.split(".")
  const names = own(claims, "_claim_names")
  return (isJsonObject(names) && (own(names, path) ?? own(names, name)) !== undefined) ||
    (path === "groups" && own(claims, "hasgroups") === true)
}

const isGroup = (value: unknown): value is string => typeof value === "string" && value !== ""

/**
 * Reads the groups from all of these claims. Each is an array of strings, or one string for one group; values of other
 * types are ignored.
 */
export const readGroups = (claims: JsonObject, paths: ReadonlyArray<string>): Groups => {
  const groups = new Set(paths.flatMap((path) => claimsAt(claims, path)).flat().filter(isGroup))
  let characters = 0
  for (const group of groups) characters += group.length
  return groups.size > maxGroups || characters > maxCharacters || paths.some((path) => isElsewhere(claims, path))
    ? { groups: [], isComplete: false }
    : { groups: [...groups], isComplete: true }
}
