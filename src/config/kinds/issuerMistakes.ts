/**
 * Recognizes URLs that operators mistake for the issuer or the audience of tokens.
 *
 * The text alone decides, without a request.
 */
import type { Mistake } from "../InvalidConfiguration.ts"
import { hasTemplate, unfilledTemplate } from "./leftovers.ts"

const wellKnown = /\/\.well-known(?:\/|$)/i
const discoveryDocument = /\/\.well-known\/(?:openid-configuration|oauth-authorization-server)/i
const keySet =
  /\/(?:jwks(?:\.json)?|jwks_uri|oauth2?(?:(?:\/[^/]+)?\/v[0-9.]+)?\/(?:keys|certs)|(?:discovery(?:\/v[0-9.]+)?)\/keys|openid-connect\/certs)\/?$/i
const endpoint = new RegExp(
  "/(?:protocol/openid-connect/[a-z/-]+|connect/(?:authorize|token|userinfo|introspect)|" +
    "(?:oauth2?|oidc)(?:(?:/[^/]+)?/v[0-9.]+)?/(?:auth|authorize|token|userinfo|introspect|introspection|register|revoke)|" +
    "login/oauth/(?:authorize|access_token))/?$",
  "i"
)

/** Returns the kind of document or endpoint that a URL leads to, if it is recognized. */
const addressOf = (text: string): string | undefined => {
  if (discoveryDocument.test(text)) return "a discovery document"
  if (keySet.test(text)) return "a key set"
  return wellKnown.test(text) ? "a well-known document" : undefined
}

export const audienceMistake = (audience: string): Mistake | undefined => {
  const address = addressOf(audience)
  return address === undefined ? undefined : {
    problem: `has the URL of ${address} for an audience`,
    fix: "Write it as the aud claim of your tokens has it; auto means the public URL with the MCP path"
  }
}

const issuerFix = "Write it as the iss claim of your tokens has it, which is also the member issuer of the discovery " +
  "document; a key set belongs into MCP_JWT_JWKS_URI"

const entraHosts = [
  "login.microsoftonline.com",
  "login.microsoftonline.us",
  "login.partner.microsoftonline.cn",
  "login.windows.net"
]
const tenantId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const entraAddress = new RegExp(
  `^(?:https?://)?(?:${entraHosts.map((host) => host.replaceAll(".", "\\.")).join("|")})(?=/|$)`,
  "i"
)

/** Host names of Entra that its tokens do not contain as their issuer. */
const entraMistake = (issuer: string): Mistake | undefined => {
  if (!entraAddress.test(issuer)) return undefined
  const [tenant = "", version, more] = issuer.replace(entraAddress, "").replace(/\/$/, "").split("/").slice(1)
  const form = "https://login.microsoftonline.com/<tenant id>/v2.0"
  if (/^(?:common|organizations|consumers)$/i.test(tenant)) {
    return {
      problem: "is Entra's address for several tenants, which no token has as its issuer",
      fix: `Write ${form}; for several, {tenantid} in that place, and MCP_JWT_TENANTS`
    }
  }
  if (!tenantId.test(tenant)) {
    return { problem: "names an Entra tenant by something other than its id", fix: `Write ${form}, as tokens have it` }
  }
  return version === "v2.0" && more === undefined ? undefined : {
    problem: "is an Entra address that no token has as its issuer",
    fix: `Write ${form}, or https://sts.windows.net/<tenant id>/ for tokens of version 1.0`
  }
}

export const issuerMistake = (issuer: string): Mistake | undefined => {
  if (hasTemplate(issuer)) return unfilledTemplate
  const address = addressOf(issuer) ?? (endpoint.test(issuer) ? "an OAuth endpoint" : undefined)
  return address === undefined ? entraMistake(issuer) : { problem: `is the URL of ${address}`, fix: issuerFix }
}
