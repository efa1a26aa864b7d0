/** Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document; MCP 2025-11-25, authorization). Pure. */
import * as Result from "effect/Result"
import { redirectUriProblem } from "../config/kinds/redirectUris.ts"
import { own, parseJsonObject } from "../remote/JsonObject.ts"
import type { ClientDocument } from "./ClientMetadata.ts"
import { isStrings } from "./sealedValues.ts"

const maxClientId = 1_024
const maxName = 100
const maxRedirectUris = 64

/**
 * Returns whether a client id is the URL of a document (section 2): https, with a path, without dot segments, a
 * fragment or credentials, and in normal form, because ids are compared character for character.
 */
export const isDocumentUrl = (clientId: string): boolean => {
  if (clientId.length > maxClientId || !/^https:\/\/[^/?#]+\/[^#]*$/.test(clientId) || !URL.canParse(clientId)) {
    return false
  }
  const { href, password, username } = new URL(clientId)
  return href === clientId && username === "" && password === ""
}

const invalid = (detail: string) => Result.fail(`the document ${detail}`)

// Control characters, marks that change the direction of text, invisible characters, line separators, lone surrogates.
const unfit = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Converts the name to a form that can be shown in one line. */
const shownName = (name: unknown): string | undefined => {
  if (typeof name !== "string") return undefined
  const clean = name.slice(0, 4 * maxName).replace(unfit, " ").trim()
  return clean === "" ? undefined : [...clean].slice(0, maxName).join("")
}

/**
 * Reads the document of a client.
 *
 * It must be a JSON object that repeats the URL as `client_id`, names at least one usable redirect URI, and describes a
 * public client: one without a secret, and without a kind of authentication that the gateway would not check (sections
 * 4.1 and 8.2). Fails with the reason, without the document's content.
 */
export const readClientDocument = (clientId: string, text: string): Result.Result<ClientDocument, string> => {
  const parsed = parseJsonObject(text)
  if (Result.isFailure(parsed)) return invalid(`is not usable: ${parsed.failure}`)
  const document = parsed.success
  if (own(document, "client_id") !== clientId) return invalid("does not have its own URL as client_id")
  if (own(document, "client_secret") !== undefined || own(document, "client_secret_expires_at") !== undefined) {
    return invalid("has a client secret, which a document must not have")
  }
  const method = own(document, "token_endpoint_auth_method")
  if (method !== undefined && method !== "none") {
    return invalid("is for a client that authenticates; token_endpoint_auth_method must be none")
  }
  const redirectUris = own(document, "redirect_uris")
  if (!isStrings(redirectUris) || redirectUris.length === 0 || redirectUris.length > maxRedirectUris) {
    return invalid(`has no redirect_uris, or more than ${maxRedirectUris}`)
  }
  const problem = redirectUris.map(redirectUriProblem).find((one) => one !== undefined)
  if (problem !== undefined) return invalid(`has a redirect URI that ${problem}`)
  const grantTypes = own(document, "grant_types")
  if (grantTypes !== undefined && (!isStrings(grantTypes) || !grantTypes.includes("authorization_code"))) {
    return invalid("has grant_types without authorization_code")
  }
  const responseTypes = own(document, "response_types")
  if (responseTypes !== undefined && (!isStrings(responseTypes) || !responseTypes.includes("code"))) {
    return invalid("has response_types without code")
  }
  return Result.succeed({ redirectUris, clientName: shownName(own(document, "client_name")) })
}
