import * as Effect from "effect/Effect"
import type { GatewayError } from "../errors/GatewayError.ts"
import { fieldsWithoutCaller, type UpstreamCaller, type UpstreamFields } from "./UpstreamFields.ts"

/** Builds the fields that prove to the MCP server that a request comes from the gateway, and on whose behalf. */
export interface UpstreamAuthorizer {
  /** Returns the fields synchronously if they are cached. If it returns `undefined`, call `authorize`. */
  readonly peek: (caller: UpstreamCaller) => UpstreamFields | undefined
  readonly authorize: (caller: UpstreamCaller) => Effect.Effect<UpstreamFields, GatewayError>
}

/** Makes the same fields for every caller. */
export const alwaysThese = (fields: UpstreamFields): UpstreamAuthorizer => ({
  peek: () => fields,
  authorize: () => Effect.succeed(fields)
})

/** For servers that no request is forwarded to. */
export const noUpstream = alwaysThese(fieldsWithoutCaller)
