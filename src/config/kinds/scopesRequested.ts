/** What clients must request to get scopes, if the provider spells them differently in requests and in tokens. */
import * as Result from "effect/Result"
import { invalid } from "./kind.ts"
import { isScope } from "./kinds.ts"
import { type StringMap, stringMap } from "./stringMap.ts"

/** The name of the member for scopes without a member of their own. */
const others = "*"

/** The placeholder for the scope in the value of that member. */
const place = "{scope}"

// OpenID Connect Core 1.0, sections 3.1.2.1, 5.4 and 11: the same at every provider.
const openIdScopes: ReadonlySet<string> = new Set(["openid", "profile", "email", "address", "phone", "offline_access"])

const form = "Write {\"read\": \"api://app/read\"}, or {\"*\": \"api://app/{scope}\"} for all scopes"

/** Scopes as clients must request them, by their names in tokens. */
export const scopesRequested = stringMap<StringMap>({
  form,
  parse: (members) => {
    for (const [scope, requested] of members) {
      if (!isScope(scope)) return invalid("has a member whose name is not a scope", form)
      if (!isScope(requested)) return invalid("has a member that is not a scope", form)
      if (requested.includes(place) !== (scope === others)) {
        return invalid(`has ${place} in the wrong place`, `${form}; only the member "${others}" has ${place}`)
      }
    }
    return Result.succeed(Object.fromEntries(members))
  },
  show: (map) => map
})

/**
 * Returns the scope that a client must request to get this one. Scopes of OpenID Connect and full names are not
 * changed.
 */
export const requestedScope = (map: StringMap, scope: string): string => {
  const own = Object.hasOwn(map, scope) ? map[scope] : undefined
  if (own !== undefined) return own
  const template = Object.hasOwn(map, others) ? map[others] : undefined
  if (template === undefined || openIdScopes.has(scope)) return scope
  const [before = ""] = template.split(place)
  return before !== "" && scope.startsWith(before) ? scope : template.replace(place, () => scope)
}
