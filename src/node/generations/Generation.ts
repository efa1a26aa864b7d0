import type * as Deferred from "effect/Deferred"
import type * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { HttpApp } from "../../http/HttpApp.ts"
import type { Endpoint } from "../endpoint/makeEndpoint.ts"

/**
 * One configuration in use: its settings, and everything that was built from them.
 *
 * A request takes the generation that is current when it begins, and keeps it until its response has ended.
 */
export interface Generation {
  /** 1 for the configuration of the start. */
  readonly number: number
  readonly settings: GatewaySettings
  readonly app: HttpApp["Service"]
  readonly endpoint: Endpoint
  /** The `handle` of the endpoint, kept here because every request reads it. */
  readonly handle: Endpoint["handle"]
  /** Done once too many later generations exist. */
  readonly isTooOld: Deferred.Deferred<void>
  /** Closes the generation. Only after its last request has ended. */
  readonly close: Effect.Effect<void>
}
