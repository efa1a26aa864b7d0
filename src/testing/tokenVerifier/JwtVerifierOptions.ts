/** What the suite must know about a JWT verifier, and the matching issuers. */
import * as Duration from "effect/Duration"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"
import type { Issuer } from "../../issuer/Issuer.ts"
import { TestIssuer } from "../../issuer/TestIssuer.ts"
import type { TestIssuerOptions } from "../../issuer/TestIssuerOptions.ts"

/** Options of a JWT verifier under test. Every option has a default. */
export interface JwtVerifierOptions {
  /** All algorithms that it accepts. Default: `["RS256"]`. RSA keys make a suite slower. */
  readonly algorithms?: readonly [JwsAlgorithm, ...ReadonlyArray<JwsAlgorithm>] | undefined
  /** The audience of tokens. Default: `https://mcp.example/mcp`. */
  readonly audience?: string | undefined
  /** Whether it rejects tokens for other audiences. Default: `true`. */
  readonly checksAudience?: boolean | undefined
  /** The tolerance between clocks. Default: one minute. */
  readonly clockSkew?: Duration.Input | undefined
  /**
   * `fetched`: from the issuer, when needed. `given`: the verifier has one configured key and sends no requests. Default:
   * `fetched`.
   */
  readonly keys?: "fetched" | "given" | undefined
  /** Header parameters that it requires, such as `{ typ: "at+jwt" }`. */
  readonly header?: Readonly<Record<string, unknown>> | undefined
  /** Claims that it requires in addition to `iss`, `aud`, `sub`, `iat` and `exp`. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /**
   * Where its issuer is: in memory, behind the `HttpClient` of the suite, or on a port of 127.0.0.1. Default: `memory`.
   */
  readonly transport?: "memory" | "http" | undefined
  /**
   * A running issuer that the verifier trusts, for a verifier whose layer has no requirements. Default: the suite makes
   * its own issuers.
   */
  readonly issuer?: Issuer | undefined
}

/** The same with all defaults applied. */
export interface JwtVerifierSettings {
  readonly algorithms: readonly [JwsAlgorithm, ...ReadonlyArray<JwsAlgorithm>]
  readonly audience: string
  readonly checksAudience: boolean
  readonly skew: number
  readonly fetchesKeys: boolean
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly transport: "memory" | "http"
  readonly issuer: Issuer | undefined
}

export const resolveOptions = (options: JwtVerifierOptions): JwtVerifierSettings => ({
  algorithms: options.algorithms ?? ["RS256"],
  audience: options.audience ?? [options.issuer?.audience ?? "https://mcp.example/mcp"].flat()[0] ?? "",
  checksAudience: options.checksAudience ?? true,
  skew: Duration.toSeconds(options.clockSkew ?? "1 minute"),
  fetchesKeys: options.keys !== "given",
  header: options.header ?? {},
  claims: options.claims ?? {},
  transport: options.transport ?? "memory",
  issuer: options.issuer
})

/** A new issuer and the client that reaches it. */
export const issuerLayer = (
  transport: "memory" | "http",
  options: TestIssuerOptions
): Layer.Layer<TestIssuer | HttpClient.HttpClient> => {
  // The keys themselves do not matter, and RSA keys take long to generate.
  const reused: TestIssuerOptions = { ...options, keys: "reused" }
  return transport === "memory"
    ? TestIssuer.layerMemory(reused)
    : Layer.merge(TestIssuer.layer(reused), FetchHttpClient.layer)
}

/** An issuer that is already running, and the client that reaches it. */
export const runningIssuer = (issuer: Issuer): Layer.Layer<TestIssuer | HttpClient.HttpClient> =>
  Layer.merge(Layer.succeed(TestIssuer, issuer), FetchHttpClient.layer)
