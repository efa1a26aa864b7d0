/** What the metadata of an authorization server offer to clients. Pure. */
import { type JsonObject, own } from "../remote/JsonObject.ts"

/** Whether PKCE with S256 is offered; `undefined` if the metadata do not mention PKCE. */
export const offersS256 = (document: JsonObject): boolean | undefined => {
  const methods = own(document, "code_challenge_methods_supported")
  return Array.isArray(methods) ? methods.includes("S256") : undefined
}

/** The registration endpoint; `undefined` if there is none. */
export const registrationEndpoint = (document: JsonObject): string | undefined => {
  const endpoint = own(document, "registration_endpoint")
  return typeof endpoint === "string" && URL.canParse(endpoint) ? endpoint : undefined
}

/** Whether clients may use the URL of their own metadata as their id. */
export const takesClientDocuments = (document: JsonObject): boolean =>
  own(document, "client_id_metadata_document_supported") === true
