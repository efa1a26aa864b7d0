/** The OAuth client that a token was issued to (RFC 9068, section 2.2; OpenID Connect Core 1.0, section 2). Pure. */
import type { ClaimNames } from "../../config/GatewaySettings.ts"
import { show, showAll } from "../../errors/show.ts"
import { claimAt } from "../../identity/claimPath.ts"
import type { JsonObject } from "../../remote/JsonObject.ts"
import { type Rejection, rejection } from "../Rejection.ts"
import { textOf } from "./text.ts"

/**
 * The default claims that name the client, in order of preference; `MCP_CLIENT_CLAIMS` replaces them. RFC 9068 and RFC
 * 7662; OpenID Connect; Entra before 2.0; Okta.
 */
const defaultClientClaims: ReadonlyArray<string> = ["client_id", "azp", "appid", "cid"]

type ClientClaims = Pick<ClaimNames, "clientClaims">

/** Returns the client that a token names: by default in `client_id`, otherwise in `azp`, `appid` or `cid`. */
export const readClientId = (
  claims: JsonObject,
  { clientClaims = defaultClientClaims }: ClientClaims = {}
): string | undefined => {
  for (const path of clientClaims) {
    const client = textOf(claimAt(claims, path))
    if (client !== undefined && client !== "") return client
  }
  return undefined
}

/** Returns the values of all claims that name a client, of any type. */
export const namedClients = (
  claims: JsonObject,
  { clientClaims = defaultClientClaims }: ClientClaims = {}
): ReadonlyArray<readonly [name: string, client: unknown]> =>
  clientClaims.flatMap((path) => {
    const client = claimAt(claims, path)
    return client === undefined || client === "" ? [] : [[path, client]]
  })

/** Returns whether a token names at least one client, and only allowed ones. */
export const isOfClients = (
  claims: JsonObject,
  allowed: ReadonlyArray<string>,
  names: ClientClaims = {}
): boolean => {
  const named = namedClients(claims, names)
  return named.length > 0 && named.every(([, client]) => typeof client === "string" && allowed.includes(client))
}

/** Describes the clients that a provider's settings allow. */
export const expectedClient = (allowed: ReadonlyArray<string>): string =>
  allowed.length === 0 ? "any client (MCP_ALLOWED_CLIENTS is empty)" : `one of ${showAll(allowed)}`

export const shownClients = (claims: JsonObject, names: ClientClaims = {}): string => {
  const named = namedClients(claims, names)
  return named.length === 0
    ? "the token names no client"
    : named.map(([name, client]) => `${name} is ${show(client)}`).join(", ")
}

/**
 * Checks the client of a token: the token must name at least one, and each must equal an entry of `allowed`. If
 * `allowed` is empty, any client is accepted.
 */
export const checkClient = (
  claims: JsonObject,
  allowed: ReadonlyArray<string>,
  names: ClientClaims = {}
): Rejection | undefined => {
  if (allowed.length === 0 || isOfClients(claims, allowed, names)) return undefined
  const { clientClaims = defaultClientClaims } = names
  const other = namedClients(claims, names).find(([, client]) =>
    typeof client !== "string" || !allowed.includes(client)
  )
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
