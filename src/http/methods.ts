import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { MethodNotAllowed } from "../errors/GatewayError.ts"

/** Methods of the routes that can only be read. */
export const reading: ReadonlySet<string> = new Set(["GET", "HEAD"])

/** Methods of requests that go on to the MCP server. */
export const forwarded: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])

/** Says whether a method is one of these. */
export const allows = (methods: ReadonlySet<string>, method: string): Result.Result<void, MethodNotAllowed> =>
  methods.has(method) ? Result.void : Result.fail(new MethodNotAllowed({ allow: [...methods, "OPTIONS"] }))

/** Refuses other methods than these. */
export const only = (methods: ReadonlySet<string>, method: string): Effect.Effect<void, MethodNotAllowed> =>
  Effect.fromResult(allows(methods, method))
