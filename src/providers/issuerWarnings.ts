/** Warnings about issuers and audiences, for the types that have them. Pure. */
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { resourceUrl, withoutSlash } from "../config/kinds/resourceUrl.ts"

// Placeholders in this project's documentation, and in the documentation of providers, for names that readers must
// replace.
const example =
  /\byour[-_](?:tenant|domain|authkit-instance|api|app|audience|client|company|instance|org|project|realm)\b/i

/** Whether the public URL ends in the MCP path, which the gateway appends anyway. */
export const repeatsPath = ({ path, publicUrl }: Pick<GatewaySettings, "path" | "publicUrl">): boolean =>
  publicUrl !== undefined && path !== "/" && publicUrl.endsWith(path)

/** Warns about audiences that are probably not what the operator meant. */
const aboutAudience = (
  audience: ReadonlyArray<string>,
  issuer: string,
  { path, publicUrl }: Pick<GatewaySettings, "path" | "publicUrl">
): ReadonlyArray<string> => {
  const own = publicUrl === undefined ? undefined : resourceUrl(publicUrl, path)
  const plain = new Set(audience.map(withoutSlash))
  if (plain.has(withoutSlash(issuer))) {
    return [
      "the audience is the issuer itself, so that tokens for the issuer's own services are accepted. Have the provider " +
      "issue tokens for the MCP server, and set MCP_JWT_AUDIENCE to that."
    ]
  }
  return publicUrl !== undefined && own !== undefined && !repeatsPath({ path, publicUrl }) &&
      !plain.has(withoutSlash(own)) && plain.has(withoutSlash(publicUrl))
    ? [
      `the audience is the public URL without the MCP path, but MCP clients ask for tokens for ${own}. Add auto to ` +
      "MCP_JWT_AUDIENCE unless the provider writes the audience by itself."
    ]
    : []
}

/** Warns about values that were copied from documentation. */
export const exampleWarnings = (values: ReadonlyArray<string>): ReadonlyArray<string> =>
  values.some((value) => example.test(value))
    ? ["the issuer or the audience looks like an example from documentation. Replace it with your own."]
    : []

/** Claims that can change or pass to another person: names for signing in, and addresses. */
const changeable = /(?:^|[./])(?:e-?mail|upn|preferred_username|unique_name|user_?name|nickname|name|login)$/i

/** Warns about subject claims that may stand for different persons over time. */
export const subjectWarnings = (
  { subjectClaims = [] }: { readonly subjectClaims?: ReadonlyArray<string> | undefined }
): ReadonlyArray<string> => {
  const found = subjectClaims.find((claim) => changeable.test(claim))
  return found === undefined ? [] : [
    `the subject is read from ${found}, which users or administrators can change, and which another person can have later. Use ` +
    "an id that never changes in MCP_SUBJECT_CLAIMS, unless the provider guarantees that this one does not."
  ]
}

/** Warnings for a provider with an issuer: about settings that accept too many tokens. */
export const tokenWarnings = (
  { allowedClients, audience, issuer, subjectClaims }: {
    readonly issuer: string
    readonly audience: ReadonlyArray<string>
    readonly allowedClients: ReadonlyArray<string>
    readonly subjectClaims?: ReadonlyArray<string> | undefined
  },
  { settings }: { readonly settings: Pick<GatewaySettings, "path" | "publicUrl"> }
): ReadonlyArray<string> => [
  ...aboutAudience(audience, issuer, settings),
  ...exampleWarnings([issuer, ...audience]),
  ...(audience.length > 0 || allowedClients.length > 0 ? [] : [
    "no audience is configured, so that tokens that were issued for other services are accepted. " +
    "Set MCP_JWT_AUDIENCE; auto means the public URL with the MCP path. Where tokens have no aud, set " +
    "MCP_ALLOWED_CLIENTS."
  ]),
  ...subjectWarnings({ subjectClaims })
]
