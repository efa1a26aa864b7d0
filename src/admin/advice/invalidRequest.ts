import type { InvalidRequestReason, MirroredField } from "../../errors/GatewayError.ts"
import type { Advice } from "./Advice.ts"

/** About requests that are rejected regardless of their token. */
export const invalidRequest: Readonly<Record<InvalidRequestReason, Advice>> = {
  RepeatedCredential: {
    title: "Several credentials",
    meaning: "The request has more than one Authorization field or token.",
    fix: "Find the client or proxy that adds a second one."
  },
  CredentialInQuery: {
    title: "Token in the URL",
    meaning: "The token is in the query, where logs and histories would keep it.",
    fix: "Have the client send it in the Authorization field. Treat the token as disclosed."
  },
  MalformedHost: {
    title: "Wrong Host",
    meaning: "The Host field is missing or malformed, so it is not known by which URL the client knows the gateway.",
    fix: "Check the proxy in front of the gateway, and set MCP_PUBLIC_URL."
  },
  MalformedTarget: {
    title: "Malformed URL",
    meaning: "The request target is not a URL that clients of MCP would send.",
    fix: "Usually a scanner. Otherwise look for a proxy that rewrites URLs."
  },
  UnsupportedVersion: {
    title: "HTTP version",
    meaning: "The request is not HTTP/1.1.",
    fix: "Let the proxy in front of the gateway use HTTP/1.1."
  },
  MalformedHeader: {
    title: "Malformed header field",
    meaning: "A header field is malformed, or is repeated although it may appear only once.",
    fix: "The log entry names the field. Find the client or proxy that writes it."
  },
  MalformedMessage: {
    title: "Not a JSON-RPC message",
    meaning: "The body of the request is not JSON-RPC.",
    fix: "Check that the client speaks MCP over Streamable HTTP, and that no proxy changes the body."
  },
  AmbiguousMessage: {
    title: "Ambiguous message",
    meaning: "The message has a member twice, so that two programs could read it differently.",
    fix: "Have the client's author fix it: no JSON library writes such messages by itself."
  },
  MessageTooDeep: {
    title: "Message nested too deeply",
    meaning: "The message has more levels than any real one.",
    fix: "Usually an attack. Otherwise the arguments of a tool have to become flatter."
  }
}

const mirrored = (field: MirroredField): Advice => ({
  title: `${field} does not agree`,
  meaning:
    `The field ${field} is missing or says something else than the message, which newer revisions of MCP forbid.`,
  fix: "Update the client's SDK, and check that no proxy changes or drops the field."
})

/** About fields that do not agree with the message. */
export const headerMismatch: Readonly<Record<MirroredField, Advice>> = {
  "MCP-Protocol-Version": mirrored("MCP-Protocol-Version"),
  "Mcp-Method": mirrored("Mcp-Method"),
  "Mcp-Name": mirrored("Mcp-Name"),
  "Mcp-Param": mirrored("Mcp-Param")
}
