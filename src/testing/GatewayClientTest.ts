/** The conformance suite for `GatewayClient` layers. */
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
 * The requirements, to select or run them yourself.
 *
 * Each one builds the client again for every value, with its own upstream on the loopback interface, and uses real time.
 * Hop-by-hop fields are not checked: the gateway removes them before and after the client.
 */
export const requirements: ReadonlyArray<Requirement<Subject>> = [
  ...requests,
  ...responses,
  ...streams,
  ...cancelling,
  ...failures
]

/** The client under test. */
export const subject = Subject.layer

/**
 * Registers the tests of a gateway client, one for each requirement.
 *
 * Use it on a layer that reads the upstream URL from `GatewayConfig`. Takes about ten seconds.
 *
 * **Example** (the client on `fetch`)
 *
 * ```ts
 * import { HttpGatewayClient } from "mcp-authorizer"
 * import { GatewayClientTest } from "mcp-authorizer/testing"
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
