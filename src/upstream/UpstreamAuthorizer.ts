import * as Effect from "effect/Effect"
import type { GatewayError } from "../errors/GatewayError.ts"
import { fieldsWithoutCaller, type UpstreamCaller, type UpstreamFields } from "./UpstreamFields.ts"

/** Makes the fields by which the MCP server knows that a request comes from the gateway, and for whom. */
export interface UpstreamAuthorizer {
  /** Returns the fields synchronously if they are cached; `undefined`: use `authorize`. */
  readonly peek: (caller: UpstreamCaller) => UpstreamFields | undefined
  readonly authorize: (caller: UpstreamCaller) => Effect.Effect<UpstreamFields, GatewayError>
}

/** Makes the same fields for every caller. */
export const alwaysThese = (fields: UpstreamFields): UpstreamAuthorizer => ({
  peek: () => fields,
  authorize: () => Effect.succeed(fields)
})

/** For servers that nothing is forwarded to. */
export const noUpstream = alwaysThese(fieldsWithoutCaller)
