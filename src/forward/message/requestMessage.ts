/**
 * What the gateway does to the JSON-RPC messages that a client sends: it takes out every `_authContext` and puts its
 * own into `initialize`.
 */
import * as Result from "effect/Result"
import type { InvalidRequest } from "../../errors/GatewayError.ts"
import { MemberCuts } from "./memberCuts.ts"
import { type ClientMessage, readMessage, refuse, refuseToken } from "./readMessage.ts"
import type { RequestId } from "./scalarValue.ts"
import { JsonScanner, maxMessageDepth } from "./scanJson.ts"
import { joinBytes, type Splice, spliceBytes } from "./spliceBytes.ts"

export interface RewriteRequestOptions {
  /** The serialised JSON object to put into `initialize`, or `undefined` to put none. */
  readonly authContext: Uint8Array | undefined
}

export interface RewrittenRequest {
  /** The body to send: the given instance if nothing had to be changed. */
  readonly bytes: Uint8Array
  /** The `id` that the answer to `initialize` will bear; `undefined` if there is none or this is no `initialize`. */
  readonly initializeId: RequestId | undefined
  /** The tools that are called, a batch may call several. */
  readonly tools: ReadonlyArray<string>
}

const noTools: ReadonlyArray<string> = []

type Rewriting = Result.Result<RewrittenRequest, InvalidRequest>

/**
 * Rewrites the body of a POST to the MCP server.
 *
 * Every `_authContext` is removed at any depth, however it is spelt; in an `initialize` message `params._authContext`
 * becomes `authContext`. All other bytes stay as they are. Fails with `InvalidRequest`: `MalformedMessage` for what is
 * not one JSON-RPC message or a batch of them, `AmbiguousMessage` where parsers could differ about what decides or is
 * rewritten, `MessageTooDeep`.
 *
 * Source: JSON-RPC 2.0, sections 4 and 6; MCP 2025-03-26, base protocol (batching).
 */
export const rewriteRequest = (bytes: Uint8Array, options: RewriteRequestOptions): Rewriting => {
  const scanner = new JsonScanner(bytes, maxMessageDepth)
  const first = scanner.next()
  if (first === "OpenArray") return rewriteBatch(bytes, scanner)
  if (first !== "OpenObject") return refuseToken(first)
  const cuts = new MemberCuts()
  const read = readMessage(bytes, scanner, cuts)
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const last = scanner.next()
  if (last !== "End") return refuseToken(last)

  const message = read.success
  const { id, tool } = message
  const initialize = message.method === "initialize"
  if (initialize && message.params === "Other") return refuse("MalformedMessage", "params of initialize is no object")
  const splices = initialize && options.authContext !== undefined
    ? withInsertion(cuts.splices, insertion(message, options.authContext))
    : cuts.splices
  return Result.succeed({
    bytes: spliceBytes(bytes, splices),
    initializeId: initialize ? id : undefined,
    tools: tool === undefined ? noTools : [tool]
  })
}

const rewriteBatch = (bytes: Uint8Array, scanner: JsonScanner): Rewriting => {
  const cuts = new MemberCuts()
  const tools = new Set<string>()
  let isEmpty = true
  for (let token = scanner.next(); token !== "CloseArray"; token = scanner.next()) {
    if (token !== "OpenObject") return refuseToken(token)
    const read = readMessage(bytes, scanner, cuts)
    if (Result.isFailure(read)) return Result.fail(read.failure)
    const { method, tool } = read.success
    // One message of a batch cannot be answered for the others, and MCP allows `initialize` only by itself.
    if (method === "initialize") return refuse("AmbiguousMessage", "initialize inside a batch")
    if (tool !== undefined) tools.add(tool)
    isEmpty = false
  }
  if (isEmpty) return refuse("MalformedMessage", "an empty batch")
  const last = scanner.next()
  if (last !== "End") return refuseToken(last)
  return Result.succeed({ bytes: spliceBytes(bytes, cuts.splices), initializeId: undefined, tools: [...tools] })
}

const encoder = new TextEncoder()
const paramsStart = encoder.encode(`"params":{`)
const authContextStart = encoder.encode(`"_authContext":`)
const comma = encoder.encode(",")
const paramsEnd = encoder.encode("},")

const insertion = (message: ClientMessage, authContext: Uint8Array): Splice => {
  if (message.params === "Object") {
    const after = message.paramsKeepMember ? [comma] : []
    const { insideParams: at } = message
    return { start: at, end: at, insert: joinBytes([authContextStart, authContext, ...after]) }
  }
  // The comma after it is right: the message has a method.
  const { inside: at } = message
  return { start: at, end: at, insert: joinBytes([paramsStart, authContextStart, authContext, paramsEnd]) }
}

/** Puts an insertion before the first cut that does not end before it. */
const withInsertion = (cuts: ReadonlyArray<Splice>, insertion: Splice): ReadonlyArray<Splice> => {
  const index = cuts.findIndex(({ start }) => start >= insertion.start)
  const before = index < 0 ? cuts.length : index
  return [...cuts.slice(0, before), insertion, ...cuts.slice(before)]
}
