import * as Result from "effect/Result"
import { MethodNotAllowed } from "../errors/GatewayError.ts"

/** Methods of the routes that can only be read. */
export const readMethods: ReadonlySet<string> = new Set(["GET", "HEAD"])

/** Methods of requests that are forwarded to the MCP server. */
export const forwardedMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])

/** Rejects all methods except these; `undefined` allows all methods. */
export const requireMethod = (
  methods: ReadonlySet<string> | undefined,
  method: string
): Result.Result<void, MethodNotAllowed> =>
  methods === undefined || methods.has(method)
    ? Result.void
    : Result.fail(new MethodNotAllowed({ allow: [...methods, "OPTIONS"] }))
