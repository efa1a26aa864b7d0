/**
 * For tests of a gateway, of one of its layers, or of a server behind it: an issuer that misbehaves on command, over HTTP
 * or in memory, and the conformance suites.
 *
 * The suites register their tests with vitest or with `node:test`, whichever runs the file.
 */
export * from "../issuer/index.ts"
export * as GatewayClientTest from "./GatewayClientTest.ts"
export * as HttpAppTest from "./HttpAppTest.ts"
export * as JwksCacheTest from "./JwksCacheTest.ts"
export { type Requirement, requirement, type RequirementName } from "./Requirement.ts"
export {
  type CheckOptions,
  checkRequirements,
  type RequirementResult,
  type RequirementTest,
  requirementTests,
  type RunOptions
} from "./requirementTests.ts"
export { suite } from "./suite.ts"
export * as TokenVerifierTest from "./TokenVerifierTest.ts"
