import type { InvalidRequestReason, InvalidTokenReason, MirroredField } from "../errors/GatewayError.ts"

/**
 * The public texts. They are fixed, so that no text of a library, key id or configured value can reach a client. They
 * do not contain `scope=`, `error=` or `resource_metadata=`, because clients search the whole challenge for these.
 */
export const invalidTokenTexts: Readonly<Record<InvalidTokenReason, string>> = {
  MalformedToken: "Invalid token format",
  UnsupportedAlgorithm: "Unsupported algorithm",
  UnknownKey: "Unknown signing key",
  InvalidSignature: "Invalid signature",
  Expired: "Token has expired",
  NotYetValid: "Token is not yet valid",
  InvalidIssuer: "Invalid issuer",
  InvalidAudience: "Invalid audience",
  MissingClaim: "Missing required claim",
  Inactive: "Token is not active",
  UnknownToken: "Token not found",
  ValidationFailed: "Token validation failed"
}

/** The public text for each way in which a request can be malformed. */
export const invalidRequestTexts: Readonly<Record<InvalidRequestReason, string>> = {
  RepeatedCredential: "The request carries more than one credential",
  CredentialInQuery: "Access tokens are not accepted in the query string",
  MalformedHost: "The Host header is missing or malformed",
  MalformedTarget: "The request target is malformed",
  UnsupportedVersion: "The HTTP version is not supported",
  MalformedHeader: "A header field is malformed or repeated",
  MalformedMessage: "The request body is not a JSON-RPC message",
  AmbiguousMessage: "The JSON-RPC message is ambiguous",
  MessageTooDeep: "The JSON-RPC message is nested too deeply"
}

/** The public text for each field that does not agree with the message. */
export const headerMismatchTexts: Readonly<Record<MirroredField, string>> = {
  "MCP-Protocol-Version": "Header mismatch: MCP-Protocol-Version is missing or does not match the request body",
  "Mcp-Method": "Header mismatch: Mcp-Method is missing or does not match the request body",
  "Mcp-Name": "Header mismatch: Mcp-Name is missing, malformed, or does not match the request body",
  "Mcp-Param": "Header mismatch: an Mcp-Param header is malformed or does not match the request body"
}

/** The public text if the message does not name its revision of MCP. */
export const missingProtocolVersionText = "Invalid params: _meta lacks io.modelcontextprotocol/protocolVersion"

/** The public text if the caller is not allowed. */
export const accessDeniedText = "Access denied"

export const insufficientScopeText = "Token missing required scopes"

export const interactionRequiredText = "The user must sign in again, or consent"

/** The public text if the token is longer than `MCP_MAX_TOKEN_BYTES`. */
export const tokenTooLongText = "The token is too long"

/** The public text of a tool's result if the call needs a token. */
export const signInText = "Authentication required"
