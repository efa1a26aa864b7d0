/** Client authentication at the issuer's endpoints (RFC 6749, section 2.3.1). */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type { ReceivedRequest } from "./ReceivedRequest.ts"

export interface ClientCredentials {
  readonly id: string
  readonly secret: string
}

// The two halves are form-encoded before they are joined, which many clients forget.
const formDecode = (text: string): string | undefined => new URLSearchParams(`value=${text}`).get("value") ?? undefined

const basic = (authorization: string | undefined): ClientCredentials | undefined => {
  const encoded = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? "")?.[1]
  if (encoded === undefined) return undefined
  const text = Result.getOrElse(Base64.decodeString(encoded), () => "")
  const colon = text.indexOf(":")
  const id = formDecode(text.slice(0, Math.max(colon, 0)))
  const secret = formDecode(text.slice(colon + 1))
  return colon === -1 || id === undefined || secret === undefined ? undefined : { id, secret }
}

/** Returns the credentials in the `Authorization` field, otherwise those in the form; `undefined` without any. */
export const clientCredentials = (request: ReceivedRequest, form: URLSearchParams): ClientCredentials | undefined => {
  if (request.headers["authorization"] !== undefined) return basic(request.headers["authorization"])
  const id = form.get("client_id")
  const secret = form.get("client_secret")
  return id === null || secret === null ? undefined : { id, secret }
}
