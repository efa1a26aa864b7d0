/** What tests of a gateway, or of a server behind one, need: an issuer that is real HTTP and misbehaves on command. */
export { Misbehaviour } from "./Misbehaviour.ts"
export { hmacSigner, makeSigningKey, type Signer, type SigningKey } from "./SigningKey.ts"
export { TestIssuer } from "./TestIssuer.ts"
export type { OpaqueTokenOptions, SignOptions, TestIssuerOptions } from "./TestIssuerOptions.ts"
