import * as Context from "effect/Context"

/**
 * Whether requests are counted and timed. Off by default, because measuring costs time in every request.
 *
 * The Node service switches it on for an admin port or an exporter. Switch it on in a program with its own exporter.
 *
 * **Example**
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { MeasureRequests } from "mcp-authorizer"
 *
 * const Measured = Layer.succeed(MeasureRequests, true)
 * ```
 */
export const MeasureRequests = Context.Reference<boolean>("mcp-authorizer/metrics/MeasureRequests", {
  defaultValue: () => false
})
