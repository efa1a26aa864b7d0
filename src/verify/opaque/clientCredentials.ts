import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"

// application/x-www-form-urlencoded, as RFC 6749, appendix B, demands: a blank becomes `+`, `:` becomes `%3A`.
const formEncode = (text: string): string => new URLSearchParams([["", text]]).toString().slice(1)

/** The value of `Authorization` for HTTP Basic client authentication (RFC 6749, section 2.3.1). */
export const basicAuthorization = (
  clientId: string,
  clientSecret: Redacted.Redacted<string>
): Redacted.Redacted<string> =>
  Redacted.make(`Basic ${Base64.encode(`${formEncode(clientId)}:${formEncode(Redacted.value(clientSecret))}`)}`)
