/** The conformance suite for `HttpApp` layers: responses to arbitrary requests, and what is forwarded of them. */
import type * as Layer from "effect/Layer"
import type { HttpApp } from "../http/HttpApp.ts"
import { admission } from "./httpApp/admission.ts"
import { authorizationServer } from "./httpApp/authorizationServer.ts"
import { challenges } from "./httpApp/challenges.ts"
import { type ClosedApp, requirementsFor, requirementsForOwnClient } from "./httpApp/ClosedApp.ts"
import { credentials } from "./httpApp/credentials.ts"
import { discovery } from "./httpApp/discovery.ts"
import { everyResponse } from "./httpApp/everyResponse.ts"
import { forwardedBodies } from "./httpApp/forwardedBodies.ts"
import { forwardedFields } from "./httpApp/forwardedFields.ts"
import { limits } from "./httpApp/limits.ts"
import { manyCallers } from "./httpApp/manyCallers.ts"
import { oneInstance } from "./httpApp/oneInstance.ts"
import { openStreams } from "./httpApp/openStreams.ts"
import { preflight } from "./httpApp/preflight.ts"
import { relayedResponses } from "./httpApp/relayedResponses.ts"
import { sessions } from "./httpApp/sessions.ts"
import { type HttpAppNeeds, Subject } from "./httpApp/Subject.ts"
import { startTestUpstream, type TestUpstream } from "./httpApp/TestUpstream.ts"
import type { Requirement } from "./Requirement.ts"
import { type CheckOptions, checkRequirements, type RequirementResult } from "./requirementTests.ts"
import * as Suite from "./suite.ts"

export type { ClosedApp, HttpAppNeeds, Subject, TestUpstream }
export { startTestUpstream }

/**
 * The requirements: responses in general, challenges, discovery, preflights, credentials, authorization, forwarding,
 * relayed responses, sessions, limits, many callers, and open streams.
 *
 * Use them with `subject` to check an app by other means than `suite`.
 */
export const requirements: ReadonlyArray<Requirement<Subject>> = [
  ...everyResponse,
  ...challenges,
  ...discovery,
  ...authorizationServer,
  ...preflight,
  ...credentials,
  ...admission,
  ...forwardedFields,
  ...forwardedBodies,
  ...relayedResponses,
  ...sessions,
  ...limits,
  ...manyCallers,
  ...oneInstance,
  ...openStreams
]

/**
 * Provides an app as the subject of the requirements.
 *
 * Each case builds the app again with its own settings. Dies if the app cannot be built.
 */
export const subject: <E>(app: Layer.Layer<HttpApp, E, HttpAppNeeds>) => Layer.Layer<Subject> = (app) =>
  Subject.layer(app)

/** Options of an app under test. Every option has a default. */
export interface AppOptions {
  /**
   * The MCP server of an app with its own `GatewayClient`, from `startTestUpstream`: the suite's settings name its URL.
   * Default: the app sends requests through the `GatewayClient` that the suite provides.
   */
  readonly upstream?: TestUpstream | undefined
}

const applicable = (upstream: TestUpstream | undefined): ReadonlyArray<Requirement<Subject>> =>
  upstream === undefined ? requirements : requirementsForOwnClient(requirements)

/**
 * Registers one test for each requirement on an app.
 *
 * Use it when you wrap or replace `HttpApp.layer`. Do not provide the services that the app needs: the suite provides
 * settings of every kind (dialects, providers, paths, public URLs, scopes, origins), a verifier that accepts one token,
 * providers, and an MCP server in memory that responds, fails, redirects or asks for credentials. Requests are Web
 * `Request`s to `handle`; no socket is opened.
 *
 * **Example**
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as HttpServerResponse from "effect/http/HttpServerResponse"
 * import * as Layer from "effect/Layer"
 * import { HttpApp } from "mcp-authorizer"
 * import { HttpAppTest } from "mcp-authorizer/testing"
 *
 * const Branded = Layer.effect(
 *   HttpApp,
 *   Effect.map(HttpApp, (app) => ({
 *     ...app,
 *     handle: Effect.map(app.handle, HttpServerResponse.setHeader("x-served-by", "acme"))
 *   }))
 * ).pipe(Layer.provide(HttpApp.layer))
 *
 * HttpAppTest.suite("acme", Branded)
 * ```
 */
export const suite = <E>(
  name: string,
  app: Layer.Layer<HttpApp, E, HttpAppNeeds>,
  { upstream, ...options }: AppOptions & CheckOptions = {}
): void => Suite.suite(`HttpApp (${name})`, Subject.layer(app, upstream), applicable(upstream), options)

/** Checks an app without a test runner: `suite` with the results as a value. */
export const check = <E>(
  app: Layer.Layer<HttpApp, E, HttpAppNeeds>,
  { upstream, ...options }: AppOptions & CheckOptions = {}
): Promise<ReadonlyArray<RequirementResult>> =>
  checkRequirements(Subject.layer(app, upstream), applicable(upstream), options)

/**
 * Registers the tests of an app whose services are already provided, such as the one that your program runs.
 *
 * The app must be connected to a `TestIssuer` and to an MCP server from `startTestUpstream`. Requirements that need other
 * settings, a verifier that fails or an MCP server that is late are left out: `suite` checks these.
 *
 * **Example** (the layers of a program)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import type * as Layer from "effect/Layer"
 * import * as Scope from "effect/Scope"
 * import type { GatewayConfigInput, HttpApp } from "mcp-authorizer"
 * import { HttpAppTest, TestIssuer } from "mcp-authorizer/testing"
 *
 * declare const myApp: (settings: GatewayConfigInput) => Layer.Layer<HttpApp>
 *
 * const scope = Scope.makeUnsafe()
 * const issuer = await Effect.runPromise(Scope.provide(TestIssuer.make(), scope))
 * const upstream = await Effect.runPromise(Scope.provide(HttpAppTest.startTestUpstream, scope))
 * const settings: GatewayConfigInput = {
 *   server_url: `${upstream.origin}/mcp`,
 *   providers: [{ type: "oidc", issuer: issuer.issuer, audience: "https://mcp.example/mcp" }]
 * }
 *
 * HttpAppTest.suiteClosed("mine", myApp(settings), { settings, issuer, upstream })
 * ```
 */
export const suiteClosed = <E>(
  name: string,
  app: Layer.Layer<HttpApp, E>,
  { issuer, settings, upstream, ...options }: ClosedApp & CheckOptions
): void => {
  const closed = { issuer, settings, upstream }
  Suite.suite(`HttpApp (${name})`, Subject.layerClosed(app, closed), requirementsFor(closed, requirements), options)
}

/** Checks a connected app without a test runner: `suiteClosed` with the results as a value. */
export const checkClosed = <E>(
  app: Layer.Layer<HttpApp, E>,
  { issuer, settings, upstream, ...options }: ClosedApp & CheckOptions
): Promise<ReadonlyArray<RequirementResult>> => {
  const closed = { issuer, settings, upstream }
  return checkRequirements(Subject.layerClosed(app, closed), requirementsFor(closed, requirements), options)
}
