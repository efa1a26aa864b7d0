/** What a request adds to which counters. Pure. */
import type { LimitDimension, RateLimit } from "../config/GatewaySettings.ts"
import type { Identity } from "../identity/Identity.ts"
import { Glob, matchesAny } from "../rules/Glob.ts"
import type { Charge } from "./LimitStore.ts"

/** The caller of a request, as far as it is known. */
export interface LimitedCaller {
  /** The verified caller; `undefined` for an anonymous one. */
  readonly identity: Identity | undefined
  /** The share that the peer's address belongs to; empty if the host does not know the address. */
  readonly address: string
  /** The name of the server; empty if the server has no name. */
  readonly server: string
}

/** The operation of one message, as far as limits need it. */
export interface LimitedMessage {
  /** The tool that the message calls; `undefined` if it does not call a tool. */
  readonly tool: string | undefined
}

/** A limit with its position in the settings, and the name of its counters. */
interface NamedLimit {
  readonly limit: RateLimit
  readonly tools: ReadonlyArray<Glob> | undefined
  readonly place: number
  readonly name: string
}

/** A charge, and the position of its limit in the settings. */
export interface PlacedCharge extends Charge {
  /** The position, from 0. */
  readonly place: number
}

const nameOf = (limit: RateLimit): string =>
  JSON.stringify([limit.on, limit.by, limit.limit, limit.windowMillis, limit.algorithm, limit.tools, limit.servers])

const globsOf = (patterns: ReadonlyArray<string> | undefined): ReadonlyArray<Glob> | undefined =>
  patterns?.map((pattern) => new Glob(pattern))

const isAmong = (globs: ReadonlyArray<Glob> | undefined, name: string): boolean =>
  globs === undefined || matchesAny(globs, name)

/** Returns whether a limit counts only messages that call a tool. */
const isAboutTools = ({ by, tools }: RateLimit): boolean => tools !== undefined || by.includes("tool")

/** Returns the value of a dimension; `undefined` if the request has none. */
const valueOf = (
  dimension: LimitDimension,
  { address, identity, server }: LimitedCaller,
  tool: string | undefined
): ReadonlyArray<string | undefined> | string | undefined => {
  switch (dimension) {
    case "subject":
      return identity && [identity.issuer, identity.subject]
    case "client":
      return identity?.clientId === undefined ? undefined : [identity.issuer, identity.clientId]
    case "address":
      return address === "" ? undefined : address
    case "server":
      return server
    case "tool":
      return tool
  }
}

const ownerOf = ({ address, identity }: LimitedCaller): string =>
  identity === undefined ? `address ${address}` : `subject ${JSON.stringify([identity.issuer, identity.subject])}`

const chargesOf = (
  { limit, name, place, tools }: NamedLimit,
  caller: LimitedCaller,
  messages: ReadonlyArray<LimitedMessage>
): ReadonlyArray<PlacedCharge> => {
  const counted = isAboutTools(limit)
    ? messages.filter(({ tool }) => tool !== undefined && isAmong(tools, tool))
    : messages.length === 0
    ? [{ tool: undefined }]
    : messages
  const tokens = new Map<string, number>()
  for (const { tool } of counted) {
    const values = limit.by.map((dimension) => valueOf(dimension, caller, tool))
    if (values.includes(undefined)) continue
    const key = JSON.stringify(values)
    tokens.set(key, (tokens.get(key) ?? 0) + 1)
  }
  const owner = ownerOf(caller)
  return Array.from(tokens, ([key, count]) => ({ limit: name, key, owner, counting: limit, tokens: count, place }))
}

/**
 * Builds the functions that return what a request adds to which counters, by the limits of one server.
 *
 * A limit counts a request only if the request has all dimensions that the limit counts by: an anonymous request has no
 * subject, and a message that calls no tool has no tool. A request without a message, such as a `GET` that opens a
 * stream, counts as one message.
 */
export const makeCharges = (limits: ReadonlyArray<RateLimit>, server: string) => {
  const named = limits
    .map((limit, place): NamedLimit => ({ limit, tools: globsOf(limit.tools), place, name: nameOf(limit) }))
    .filter(({ limit }) => isAmong(globsOf(limit.servers), server))
  const onMessages = named.filter(({ limit }) => limit.on === "messages")
  const onFailures = named.filter(({ limit }) => limit.on === "failures")

  return {
    limitsMessages: onMessages.length > 0,
    limitsFailures: onFailures.length > 0,
    ofMessages: (caller: LimitedCaller, messages: ReadonlyArray<LimitedMessage>): ReadonlyArray<PlacedCharge> =>
      onMessages.flatMap((limit) => chargesOf(limit, caller, messages)),
    ofFailure: (address: string): ReadonlyArray<PlacedCharge> =>
      onFailures.flatMap((limit) => chargesOf(limit, { identity: undefined, address, server }, []))
  }
}
