/** What the suite must know of a JWT verifier, and the issuers that go with it. */
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type { JwsAlgorithm } from "../../config/GatewaySettings.ts"
import type { Issuer } from "../../issuer/Issuer.ts"
import { TestIssuer } from "../../issuer/TestIssuer.ts"
import type { TestIssuerOptions } from "../../issuer/TestIssuerOptions.ts"

/** How a JWT verifier under test is set up; every field has a default. */
export interface JwtVerifierOptions {
  /** All the algorithms that it accepts; `["RS256"]` unless given. RSA keys make a suite slower. */
  readonly algorithms?: readonly [JwsAlgorithm, ...ReadonlyArray<JwsAlgorithm>] | undefined
  /** The audience that tokens are for; `https://mcp.example/mcp` unless given. */
  readonly audience?: string | undefined
  /** Whether it refuses tokens for others; `true` unless given. */
  readonly checksAudience?: boolean | undefined
  /** How far clocks may differ, in seconds; 60 unless given. */
  readonly clockSkewSeconds?: number | undefined
  /**
   * `fetched`: from the issuer, when they are needed. `given`: it was built with one key and asks nobody. `fetched` unless
   * given.
   */
  readonly keys?: "fetched" | "given" | undefined
  /** Header parameters that it demands, `{ typ: "at+jwt" }` for example. */
  readonly header?: Readonly<Record<string, unknown>> | undefined
  /** Claims that it demands beside `iss`, `aud`, `sub`, `iat` and `exp`. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  /**
   * Where its issuer is: in memory, behind the `HttpClient` of the suite, or on a port of 127.0.0.1. `memory` unless
   * given.
   */
  readonly transport?: "memory" | "http" | undefined
  /**
   * A running issuer that the verifier trusts, for a verifier whose layer needs nothing. The suite makes issuers of its
   * own unless given.
   */
  readonly issuer?: Issuer | undefined
}

/** The same with all defaults in place. */
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
  skew: options.clockSkewSeconds ?? 60,
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
  // Other keys are not the point, and RSA keys take long to generate.
  const reused: TestIssuerOptions = { ...options, keys: "reused" }
  return transport === "memory"
    ? TestIssuer.layerMemory(reused)
    : Layer.merge(TestIssuer.layer(reused), FetchHttpClient.layer)
}

/** An issuer that runs already, and the client that reaches it. */
export const runningIssuer = (issuer: Issuer): Layer.Layer<TestIssuer | HttpClient.HttpClient> =>
  Layer.merge(Layer.succeed(TestIssuer, issuer), FetchHttpClient.layer)
