import type { InvalidTokenReason } from "../../errors/GatewayError.ts"
import type { Advice } from "./Advice.ts"

export const invalidToken: Readonly<Record<InvalidTokenReason, Advice>> = {
  MalformedToken: {
    title: "Malformed token",
    meaning: "What came after `Bearer` is neither a complete JWT nor a token that any provider here could know.",
    fix: "Look for a client that cuts the token off, puts quotes around it, or sends an id instead of the token itself."
  },
  UnsupportedAlgorithm: {
    title: "Algorithm not allowed",
    meaning: "The token is signed with an algorithm that its provider may not use here, such as HS256 or none.",
    fix:
      "Let the provider sign with RS256, ES256 or EdDSA, or list its algorithm in MCP_JWT_ALGORITHM (algorithms in the file)."
  },
  UnknownKey: {
    title: "Unknown key",
    meaning:
      "The key that the token names is not among those that the provider publishes, even after it was asked again.",
    fix:
      "Usually the token is of another tenant or environment: compare its iss and kid with the keys listed under Providers. After a rotation, check that the provider publishes the new key."
  },
  InvalidSignature: {
    title: "Wrong signature",
    meaning:
      "The key is known, but the signature does not fit: the token was changed, cut off, or made by someone else.",
    fix:
      "Have the client send the token exactly as the provider issued it. If many clients are concerned, check whether two environments publish different keys under one kid."
  },
  Expired: {
    title: "Expired token",
    meaning: "The token was good once, and its time is over. Clients get a new one when they see the 401.",
    fix:
      "A few of these are usual. If one client sends nothing else, it does not refresh its token; if all do, check the clock of this machine, or raise MCP_CLOCK_SKEW by some seconds."
  },
  NotYetValid: {
    title: "Token from the future",
    meaning: "The token's nbf or iat lies ahead of this machine's clock.",
    fix: "Synchronize the clocks (NTP) of this machine and of the provider. MCP_CLOCK_SKEW bridges some seconds."
  },
  InvalidIssuer: {
    title: "Wrong issuer",
    meaning: "The token's iss is not that of a configured provider, character for character.",
    fix:
      "Compare the iss in the log with MCP_JWT_ISSUER: a slash at the end, http instead of https, or another tenant make the difference."
  },
  InvalidAudience: {
    title: "Wrong audience",
    meaning: "The token is genuine, but was issued for another service, so it must not be accepted here.",
    fix:
      "Let the client ask for a token for this server (the resource parameter of OAuth), or set MCP_JWT_AUDIENCE to what the provider writes into aud."
  },
  MissingClaim: {
    title: "A claim is missing",
    meaning:
      "The token lacks a claim that is needed, such as sub or exp, or it is an ID token instead of an access token.",
    fix: "Let the client send the access token. For unusual names of claims, set the provider's claim fields."
  },
  Inactive: {
    title: "Inactive token",
    meaning:
      "The provider says that the token is no longer active: it was revoked, has expired, or belongs to someone else.",
    fix:
      "The client has to sign in again. If all tokens are inactive, check the gateway's own client credentials for introspection."
  },
  UnknownToken: {
    title: "Unknown token",
    meaning: "No configured provider is responsible for a token of this form.",
    fix:
      "Configure the provider that issued it, or check that the client uses the authorization server that this gateway announces."
  },
  ValidationFailed: {
    title: "Token not accepted",
    meaning: "The token fails a rule that has no reason of its own; the detail says which.",
    fix:
      "Read the detail, or paste such a token into the form below: it shows each rule with what was found and expected."
  }
}
