/** The two documents in which an authorization server describes itself (OpenID Connect Discovery 1.0; RFC 8414). */
export type DocumentName = "openid-configuration" | "oauth-authorization-server"
