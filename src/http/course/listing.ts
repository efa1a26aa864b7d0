/** Lists in responses of a server with rules: which tools, prompts and resources a caller may see. Pure. */
import * as Result from "effect/Result"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { requestedScopes } from "../../discovery/requestedScopes.ts"
import { type UpstreamError, UpstreamUnavailable } from "../../errors/GatewayError.ts"
import type { ResponseHead } from "../../forward/GatewayClient.ts"
import { isEventStream } from "../../forward/isEventStream.ts"
import { ListEventFilter } from "../../message/lists/listEventFilter.ts"
import { ListFilter, type ListFilterOptions } from "../../message/lists/listFilter.ts"
import { type ListKind, listMethods } from "../../message/lists/listMembers.ts"
import { RememberedLists } from "../../message/lists/RememberedLists.ts"
import { Slabs } from "../../message/lists/Slabs.ts"
import { couldUse, couldUseTemplate, type DecideContext, requirementOf } from "../../rules/decide.ts"
import type { Policy } from "../../rules/Policy.ts"
import type { Exchange } from "../Exchange.ts"
import type { BodyChange } from "./steps.ts"

/** Returns how to change the body of a response, given its head; fails if it cannot be changed. */
export type Listing = (
  exchange: Exchange,
  head: ResponseHead
) => Result.Result<BodyChange | undefined, UpstreamUnavailable>

const unlisted = (fault: string): UpstreamUnavailable =>
  new UpstreamUnavailable({ detail: `the MCP server's list cannot be filtered: ${fault}` })

const tooLarge = (): UpstreamError => unlisted("the response is longer than MCP_MAX_LIST_BYTES")

/** Shared by all servers: enough for some dozens of long lists at a time. */
const slabs = new Slabs(32 * 1024 * 1024)

/** Shared by all servers: enough for the long lists of some dozens of servers. */
const remembered = new RememberedLists(16 * 1024 * 1024)

/** Returns the value of a field that should occur once. */
const single = (field: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof field === "string" || field === undefined ? field : field.join(", ")

const isIdentity = (encoding: string | undefined): boolean =>
  encoding === undefined || ["", "identity"].includes(encoding.trim().toLowerCase())

const isJsonType = (type: string | undefined): boolean =>
  type !== undefined && /^application\/([^;]*\+)?json\s*(;|$)/i.test(type)

const requestOf = ({ operations, request }: Exchange) => {
  if (operations === undefined) return { forLists: request.method === "POST", forNothingElse: false }
  const lists = operations.filter(({ method }) => listMethods.has(method)).length
  return { forLists: lists > 0, forNothingElse: lists > 0 && lists === operations.length }
}

const keepsBy = (policy: Policy, { identity }: Exchange, context: DecideContext) => (kind: ListKind, name: string) =>
  kind === "resourceTemplate"
    ? couldUseTemplate(policy, name, identity, context)
    : couldUse(policy, { kind, name }, identity, context)

const encoder = new TextEncoder()

/**
 * Builds the function that returns the `securitySchemes` of a listed tool; `undefined` if hosts learn about
 * authentication from the response to a call instead.
 *
 * @see OpenAI Apps SDK, authentication: `securitySchemes`
 */
const makeSecuritySchemes = (settings: GatewaySettings, policy: Policy) =>
  settings.stepUp !== "tool_result" ? undefined : (provider: string | undefined) => (tool: string): Uint8Array => {
    const { anyone, scopes } = requirementOf(policy, { kind: "tool", name: tool })
    const all = requestedScopes(settings, [...new Set([...settings.requiredScopes, ...scopes])], provider)
    return encoder.encode(JSON.stringify(
      anyone ? [{ type: "noauth" }] : [{ type: "oauth2", ...(all.length === 0 ? {} : { scopes: all }) }]
    ))
  }

/**
 * Builds the step that removes from lists what their caller can never use; `undefined` for a server without rules.
 *
 * Every response is inspected, because clients match responses to requests by id alone, so any response may contain a
 * list. A response that should be a list is collected first, so that an error response can replace it; others are
 * forwarded while they are inspected, and aborted at a fault. An encoded body cannot be inspected.
 *
 * @param nowMillis returns the time of day
 */
export const makeListing = (settings: GatewaySettings, nowMillis: () => number): Listing | undefined => {
  const { maxListBytes, policy, serverName } = settings
  if (policy === undefined) return undefined
  const securitySchemes = makeSecuritySchemes(settings, policy)
  return (exchange, { headers, status }) => {
    const { forLists, forNothingElse } = requestOf(exchange)
    const isSuccess = status >= 200 && status < 300
    const type = single(headers["content-type"])
    const isStream = isEventStream(type)
    if (!isStream && !isJsonType(type)) {
      return Result.succeed(forLists && isSuccess ? onlyEmpty(maxListBytes) : undefined)
    }
    if (!isIdentity(single(headers["content-encoding"]))) {
      return Result.fail(unlisted("the response is encoded, though identity was requested"))
    }
    const options: ListFilterOptions = {
      keeps: keepsBy(policy, exchange, { server: serverName, now: nowMillis() }),
      securitySchemes: securitySchemes?.(exchange.identity?.provider),
      demanded: forNothingElse && isSuccess,
      limit: maxListBytes,
      slabs,
      remembered,
      server: serverName
    }
    const filter = isStream ? new ListEventFilter(options) : new ListFilter(options)
    // An event stream must be forwarded as it arrives: before the list it may contain a request whose response the
    // server waits for.
    const whole = forLists && !isStream ? { limit: maxListBytes, tooLarge } : undefined
    return Result.succeed({ filter, faulty: unlisted, whole })
  }
}

/** Allows only an empty body, for a response whose type cannot hold a list. */
const onlyEmpty = (limit: number): BodyChange => {
  const filter = {
    fault: undefined as string | undefined,
    push: (chunk: Uint8Array) => {
      if (chunk.length > 0) filter.fault = "the response is neither JSON nor an event stream"
      return []
    },
    end: () => []
  }
  return { filter, faulty: unlisted, whole: { limit, tooLarge } }
}
