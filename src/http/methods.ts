import * as Result from "effect/Result"
import { MethodNotAllowed } from "../errors/GatewayError.ts"

export const readMethods: ReadonlySet<string> = new Set(["GET", "HEAD"])

/** Methods of requests that are forwarded to the MCP server. */
export const forwardedMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])

/** Rejects methods that are not allowed; `undefined` allows all. */
export const requireMethod = (
  methods: ReadonlySet<string> | undefined,
  method: string
): Result.Result<void, MethodNotAllowed> =>
  methods === undefined || methods.has(method)
    ? Result.void
    : Result.fail(new MethodNotAllowed({ allow: [...methods, "OPTIONS"] }))
