/** What every `GatewayClient` must do: the suite for whoever writes one. */
import type * as Layer from "effect/Layer"
import type { GatewayConfig } from "../config/GatewayConfig.ts"
import type { GatewayClient } from "../forward/GatewayClient.ts"
import { cancelling } from "./gatewayClient/cancelling.ts"
import { failures } from "./gatewayClient/failures.ts"
import { requests } from "./gatewayClient/requests.ts"
import { responses } from "./gatewayClient/responses.ts"
import { streams } from "./gatewayClient/streams.ts"
import { type ClientOptions, Subject } from "./gatewayClient/Subject.ts"
import type { Requirement } from "./Requirement.ts"
import { type CheckOptions, checkRequirements, type RequirementResult } from "./requirementTests.ts"
import * as Suite from "./suite.ts"

export type { ClientOptions }

/**
 * The requirements, for those who want some of them only, or run them elsewhere than in vitest.
 *
 * Each builds the client anew for every value, in front of an upstream of its own on the loopback interface. They need
 * real time, and are met or not regardless of hop-by-hop fields: what forwards applies those rules before and after
 * the client, so that none are sent, and those that come back are not looked at.
 */
export const requirements: ReadonlyArray<Requirement<Subject>> = [
  ...requests,
  ...responses,
  ...streams,
  ...cancelling,
  ...failures
]

/** The client that the requirements are about. */
export const subject = Subject.layer

/**
 * Registers the tests of a gateway client with vitest.
 *
 * Use it in a test file of your own, on a layer that takes its upstream from `GatewayConfig`. Takes about ten seconds.
 *
 * **Example** (the client on `fetch`)
 *
 * ```ts
 * import * as HttpGatewayClient from "mcp-authorizer/forward/HttpGatewayClient"
 * import * as GatewayClientTest from "mcp-authorizer/testing/GatewayClientTest"
 *
 * GatewayClientTest.suite("fetch", HttpGatewayClient.layerFetch)
 * ```
 */
export const suite = <E>(
  name: string,
  client: Layer.Layer<GatewayClient, E, GatewayConfig>,
  options: ClientOptions & CheckOptions = {}
): void => Suite.suite(`GatewayClient (${name})`, subject(client, options), requirements, { ...options, clock: "live" })

/** Checks a gateway client without a test runner: `suite` with the results as a value. */
export const check = <E>(
  client: Layer.Layer<GatewayClient, E, GatewayConfig>,
  options: ClientOptions & CheckOptions = {}
): Promise<ReadonlyArray<RequirementResult>> =>
  checkRequirements(subject(client, options), requirements, { ...options, clock: "live" })
