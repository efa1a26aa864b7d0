import * as Redacted from "effect/Redacted"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"

/** Settings of a gateway on a port of the system's choice, in front of `gatewayUrl`, with one static token. */
export const settings = (gatewayUrl: string, overrides: Partial<GatewaySettings> = {}): GatewaySettings => ({
  authEnabled: true,
  providers: [{
    type: "static",
    name: "static",
    requiredScopes: [],
    tokenPrefix: undefined,
    allowedDomains: [],
    tokens: [{
      token: Redacted.make("dev-token"),
      clientId: "dev-client",
      subject: "dev-user",
      scopes: ["read", "write"],
      expiresAt: undefined,
      email: "dev@example.com",
      name: undefined
    }]
  }],
  requiredScopes: [],
  scopesSupported: [],
  gatewayUrl,
  path: "/mcp",
  publicUrl: undefined,
  allowHttp: [],
  caFile: undefined,
  trustedProxies: { _tag: "None" },
  allowedOrigins: { _tag: "Loopback" },
  traceHeader: "x-trace-id",
  errorStyle: "oauth",
  forwardAuthorization: false,
  identityHeaders: true,
  injectRequestContext: true,
  injectResponseContext: true,
  // Sessions have tests of their own; all others look at ids as they are.
  bindSessions: false,
  sessionKeys: [],
  maxTokenBytes: 8192,
  maxBodyBytes: 4 * 1024 * 1024,
  clockSkewSeconds: 60,
  upstreamTimeoutMillis: 5_000,
  responseTimeoutMillis: 3_600_000,
  clientHeadMillis: 10_000,
  clientBodyMillis: 60_000,
  clientIdleMillis: 75_000,
  clientMinRate: 128,
  upstreamIdleMillis: 1_000,
  maxWaiting: 2048,
  maxUpstreamConnections: 1024,
  maxStreams: 32_768,
  maxBufferedBytes: 64 * 1024 * 1024,
  shutdownTimeoutMillis: 1_000,
  host: "127.0.0.1",
  port: 0,
  workers: 1,
  storeVerdicts: true,
  logFormat: "json",
  logLevel: "info",
  ...overrides
})
