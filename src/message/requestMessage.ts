/**
 * Rewrites the JSON-RPC messages of a client: removes every `_authContext` and adds the gateway's own to `initialize`.
 */
import * as Result from "effect/Result"
import type { InvalidRequest } from "../errors/GatewayError.ts"
import { JsonScanner, maxMessageDepth } from "./json/scanJson.ts"
import { RequestReader } from "./requestReader.ts"
import type { RequestRules, RequestSummary } from "./requestRules.ts"

export interface RewrittenRequest extends RequestSummary {
  /** The body to send: the same instance if nothing changed. */
  readonly bytes: Uint8Array
}

/**
 * Rewrites the body of a POST to the MCP server.
 *
 * Every `_authContext` is removed, at any depth and in any spelling. In an `initialize` message, `params._authContext`
 * becomes `authContext`. All other bytes are unchanged. Fails with `InvalidRequest`: `MalformedMessage` if the body is
 * neither a JSON-RPC message nor a batch, `AmbiguousMessage` if parsers could read it differently, or `MessageTooDeep`.
 * `RequestRewriter` does the same for a body that arrives in chunks.
 *
 * Source: JSON-RPC 2.0, sections 4 and 6; MCP 2025-03-26, base protocol (batching).
 */
export const rewriteRequest = (
  bytes: Uint8Array,
  rules: RequestRules
): Result.Result<RewrittenRequest, InvalidRequest> => {
  const reader = new RequestReader(new JsonScanner(bytes, maxMessageDepth), rules)
  const rejected = reader.read()
  if (rejected !== undefined) return Result.fail(rejected)
  return Result.succeed({ bytes: reader.output.whole(), ...reader.summary() })
}
