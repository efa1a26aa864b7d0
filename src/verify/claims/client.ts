/** The OAuth client that a token was issued to (RFC 9068, section 2.2; OpenID Connect Core 1.0, section 2). Pure. */
import { show, showAll } from "../../errors/show.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"
import { readText } from "./text.ts"

/**
 * The claims that name the client, in order of preference: RFC 9068 and RFC 7662; OpenID Connect; Entra before 2.0; Okta.
 */
const clientClaims = ["client_id", "azp", "appid", "cid"] as const

/** Returns the client that a token names: `client_id`, otherwise `azp`, `appid` or `cid`. */
export const readClientId = (claims: JsonObject): string | undefined => {
  for (const name of clientClaims) {
    const client = readText(claims, name)
    if (client !== undefined && client !== "") return client
  }
  return undefined
}

/** Returns the claims of a token that name a client, of any type. */
const namedClients = (claims: JsonObject): ReadonlyArray<readonly [name: string, client: unknown]> =>
  clientClaims.flatMap((name) => {
    const client = own(claims, name)
    return client === undefined || client === "" ? [] : [[name, client]]
  })

/** Whether a token names at least one client, and only allowed ones. */
export const isOfClients = (claims: JsonObject, allowed: ReadonlyArray<string>): boolean => {
  const named = namedClients(claims)
  return named.length > 0 && named.every(([, client]) => typeof client === "string" && allowed.includes(client))
}

/**
 * Checks the client of a token: it must name at least one, and each one must be in `allowed`, character for character. If
 * `allowed` is empty, any client is accepted.
 */
export const checkClient = (claims: JsonObject, allowed: ReadonlyArray<string>): Rejection | undefined => {
  if (allowed.length === 0 || isOfClients(claims, allowed)) return undefined
  const other = namedClients(claims).find(([, client]) => typeof client !== "string" || !allowed.includes(client))
  return other === undefined
    ? rejection(
      "MissingClaim",
      `the token names no client (${clientClaims.join(", ")}); MCP_ALLOWED_CLIENTS has ${showAll(allowed)}`
    )
    : rejection(
      "InvalidAudience",
      `the client is not allowed: ${other[0]} is ${show(other[1])}; MCP_ALLOWED_CLIENTS has ${showAll(allowed)}`
    )
}
