/**
 * An identity provider that misbehaves on command, over HTTP or in memory.
 *
 * `mcp-authorizer/testing` has all of this, too. Import it from here in programs that run no tests: a script, a demo, the
 * child process of a test.
 */
export { Misbehaviour } from "./Misbehaviour.ts"
export { hmacSigner, makeSigningKey, type Signer, type SigningKey } from "./SigningKey.ts"
export { TestIssuer } from "./TestIssuer.ts"
export type { MemoryIssuerOptions, OpaqueTokenOptions, SignOptions, TestIssuerOptions } from "./TestIssuerOptions.ts"
