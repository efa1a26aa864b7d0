/**
 * The layers of the gateway, for programs that embed it.
 *
 * `mcp-authorizer/node` runs them as a Node service, `mcp-authorizer/testing` has an issuer to test against.
 */
export { type AuditDecision, auditDecisions, type AuditEntry, auditLine } from "./audit/AuditEntry.ts"
export { AuditLog, type WriteAuditEntry } from "./audit/AuditLog.ts"
export { GatewayConfig, type GatewayConfigOptions } from "./config/GatewayConfig.ts"
export type { GatewayConfigInput } from "./config/GatewayConfigInput.ts"
export type { GatewaySettings, Provider } from "./config/GatewaySettings.ts"
export { InvalidConfiguration, type Mistake, type Problem } from "./config/InvalidConfiguration.ts"
export type { BearerToken } from "./credential/BearerToken.ts"
export * as Authentication from "./embed/Authentication.ts"
export { type ClaimsService, CurrentClaims } from "./embed/CurrentClaims.ts"
export type { MiddlewareOptions } from "./embed/embedded.ts"
export {
  type FetchMiddleware,
  type FetchMiddlewareOptions,
  type IdentifiedHandler,
  makeFetchMiddleware,
  type PublicHandler
} from "./embed/FetchMiddleware.ts"
export { type Admitted, type Finish, Guard, type GuardOptions, type GuardResult } from "./embed/Guard.ts"
export { layerGateway, layerGatewayWith, layerVerifier, layerVerifierWith } from "./embed/layers.ts"
export {
  type ConfiguredVerifierOptions,
  makeOAuthTokenVerifier,
  makeOAuthTokenVerifierWith,
  type OAuthTokenInfo,
  type OAuthTokenVerifier,
  type OAuthTokenVerifierOptions,
  type SdkErrors
} from "./embed/OAuthTokenVerifier.ts"
export { requireToolScopes, type ScopesChecked, type Tools, type ToolScopes } from "./embed/requireToolScopes.ts"
export * from "./errors/GatewayError.ts"
export { SharedIo } from "./fairness/SharedIo.ts"
export { type KeepAlive, WaitUntil } from "./fairness/WaitUntil.ts"
export {
  type ArrivingMessage,
  type Dispatch,
  type Flow,
  GatewayClient,
  type PendingCall,
  type ResponseHead,
  type ResponseReceiver,
  type UpstreamBody,
  type UpstreamRequest,
  type UpstreamResponse
} from "./forward/GatewayClient.ts"
export * as HttpGatewayClient from "./forward/HttpGatewayClient.ts"
export type { ErrorResponse, OnError } from "./http/errorResponse.ts"
export { HttpApp, type HttpAppOptions, type WebHandler } from "./http/HttpApp.ts"
export { layerServers } from "./http/layerServers.ts"
export type { ClaimedIdentity } from "./identity/ClaimedIdentity.ts"
export { CurrentIdentity } from "./identity/CurrentIdentity.ts"
export type { Identity } from "./identity/Identity.ts"
export { JwksCache } from "./keys/JwksCache.ts"
export { UnusablePublicKey } from "./keys/publicKey.ts"
export { layerRedisLimits } from "./limits/layerRedisLimits.ts"
export {
  type Charge,
  type ChargeMode,
  type Exceeded,
  type LimitCounters,
  LimitStore,
  StoreFailed
} from "./limits/LimitStore.ts"
export { MeasureRequests } from "./metrics/MeasureRequests.ts"
export { type AddedProvider, makeProviderType, type ProviderTypeOptions } from "./providers/makeProviderType.ts"
export type { ProviderType } from "./providers/ProviderType.ts"
export { ProviderHttp, type ProviderRequest, type ProviderResponse } from "./remote/ProviderHttp.ts"
export { type MetadataSource, MetadataUnavailable, ProviderMetadata } from "./remote/ProviderMetadata.ts"
export { ProviderRequestFailed } from "./remote/ProviderRequestFailed.ts"
export { layerDocuments, layerProviders, type Verification } from "./verify/layers.ts"
export type { PrefixOptions } from "./verify/prefixVerdicts.ts"
export {
  type ProviderReadiness,
  ProviderRegistry,
  type ProviderState,
  type SelectedProvider
} from "./verify/ProviderRegistry.ts"
export { TokenVerifier } from "./verify/TokenVerifier.ts"
export type { Validity, Verdict } from "./verify/Verdict.ts"
export { version } from "./version.ts"
