/** Rules of the step `keys`. Pure. */
import { clients, type Rule } from "../Finding.ts"

export const rules = {
  "keys-absent": {
    level: "note",
    title: "The authorization server publishes no keys",
    why: "Its tokens are opaque: the MCP server must ask the provider about each of them.",
    clients: [],
    specification:
      "RFC 8414, section 2: jwks_uri is OPTIONAL; RFC 7662 and OpenID Connect userinfo are the other ways.",
    fix: "Configure token introspection or userinfo at the MCP server."
  },
  "keys-unreadable": {
    level: "error",
    title: "The key set cannot be read",
    why: "No token can be verified, so clients sign in and are rejected afterwards.",
    clients,
    specification: "RFC 8414, section 2: jwks_uri is the URL of the authorization server's JWK Set document.",
    fix: "Check jwks_uri, and whether a firewall or a proxy is in the way."
  },
  "keys-none": {
    level: "error",
    title: "The key set has no usable key",
    why: "No token can be verified, so clients sign in and are rejected afterwards.",
    clients,
    specification: "RFC 7517, section 5: the keys array contains the JWKs.",
    fix: "Create a signing key at the provider: RSA with 2048 bits or more, P-256, P-384, P-521 or Ed25519."
  },
  "keys-private": {
    level: "error",
    title: "The key set contains private or symmetric keys",
    why: "Everyone can forge tokens with them. Replace the keys at once, not only the document.",
    clients: [],
    specification: "RFC 7517, section 9.2: private and symmetric keys MUST be protected from disclosure.",
    fix: "Create new keys, publish only their public members, and revoke tokens signed with the old ones."
  },
  "keys-faulty": {
    level: "warning",
    title: "Some keys are unusable",
    why: "Tokens signed with them are rejected.",
    clients,
    specification: "RFC 7517, section 4; RFC 8725, section 3.5: ensure cryptographic keys have sufficient entropy.",
    fix: "Remove them at the provider, or replace them by valid ones."
  },
  "keys-no-id": {
    level: "note",
    title: "There are several keys, and some have no id",
    why: "Verifiers cannot tell which key signed a token, and some reject it.",
    clients: [],
    specification: "RFC 7517, section 4.5: kid is used to match a specific key.",
    fix: "Give each key a kid, and write it into the header of tokens."
  }
} satisfies Readonly<Record<string, Rule>>
