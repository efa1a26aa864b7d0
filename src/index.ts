/**
 * The layers of the gateway, for programs that embed it.
 *
 * `mcp-authorizer/node` runs them as a Node service, `mcp-authorizer/testing` has an issuer to test against.
 */
export { GatewayConfig } from "./config/GatewayConfig.ts"
export type { GatewayConfigInput } from "./config/GatewayConfigInput.ts"
export type { GatewaySettings, Provider } from "./config/GatewaySettings.ts"
export { InvalidConfiguration } from "./config/InvalidConfiguration.ts"
export type { BearerToken } from "./credential/BearerToken.ts"
export * from "./errors/GatewayError.ts"
export {
  GatewayClient,
  type UpstreamBody,
  type UpstreamRequest,
  type UpstreamResponse
} from "./forward/GatewayClient.ts"
export { HttpApp } from "./http/HttpApp.ts"
export type { Identity } from "./identity/Identity.ts"
export { JwksCache } from "./keys/JwksCache.ts"
export { layerProviders } from "./verify/layers.ts"
export { ProviderRegistry } from "./verify/ProviderRegistry.ts"
export { TokenVerifier } from "./verify/TokenVerifier.ts"
export { version } from "./version.ts"
