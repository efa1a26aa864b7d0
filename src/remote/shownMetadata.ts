import { isTemplate } from "../config/kinds/issuerTemplate.ts"
import { type JsonObject, own, withoutNulls } from "./JsonObject.ts"

/** Whether a member is empty. RFC 8414, section 3.2, requires that empty members are left out. */
const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0)

/**
 * Returns a provider's own metadata in the form that clients get.
 *
 * Members that are `null` are left out, because the parsers of clients reject them. If the document does not name PKCE,
 * the gateway adds it: MCP clients must reject a server that does not name PKCE, and providers such as Entra and Cognito
 * support PKCE without naming it. A document that names its methods is not changed. A template as the issuer is replaced
 * by the issuer that clients know.
 *
 * @param issuer as the protected resource metadata name it
 * @param assumePkce whether to add PKCE. Default: `true`
 */
export const shownMetadata = (document: JsonObject, issuer: string, assumePkce = true): JsonObject => {
  const shown = withoutNulls(document)
  const named = own(shown, "issuer")
  return {
    ...shown,
    ...(typeof named === "string" && isTemplate(named) ? { issuer } : {}),
    ...(assumePkce && isEmpty(own(shown, "code_challenge_methods_supported"))
      ? { code_challenge_methods_supported: ["S256"] }
      : {})
  }
}
