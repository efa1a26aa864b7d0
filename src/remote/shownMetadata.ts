import { isTemplate } from "../config/kinds/issuerTemplate.ts"
import { type JsonObject, own, withoutNulls } from "./JsonObject.ts"

/** Members of the document that say nothing: RFC 8414, section 3.2, wants them left out. */
const saysNothing = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0)

/**
 * A provider's own metadata as clients get it.
 *
 * Members that are `null` are left out, because the parsers of clients refuse them. Where the document says nothing of
 * PKCE it is said in the provider's place: MCP clients must refuse a server that does not name it, and providers such as
 * Entra and Cognito have it without saying so. One that names its methods is shown as it is. A template in place of the
 * issuer becomes the issuer that clients were told.
 *
 * @param issuer as the protected resource metadata name it
 * @param assumePkce `false`: say nothing of PKCE in the provider's place
 */
export const shownMetadata = (document: JsonObject, issuer: string, assumePkce = true): JsonObject => {
  const shown = withoutNulls(document)
  const named = own(shown, "issuer")
  return {
    ...shown,
    ...(typeof named === "string" && isTemplate(named) ? { issuer } : {}),
    ...(assumePkce && saysNothing(own(shown, "code_challenge_methods_supported"))
      ? { code_challenge_methods_supported: ["S256"] }
      : {})
  }
}
