/** The rate limits in the course of a request. */
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { RateLimited } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"
import { LimitMemory, LimitStore } from "../../limits/LimitStore.ts"
import { makeMemoryCounters } from "../../limits/memoryCounters.ts"
import { makeRateLimiter } from "../../limits/RateLimiter.ts"
import type { Operation } from "../../message/operation.ts"
import type { Exchange } from "../Exchange.ts"
import { requesterOf } from "../requester.ts"
import { requestIdOf } from "../requestId.ts"
import { noteOperations } from "./noteOperations.ts"
import type { OwnResponses } from "./ownResponses.ts"
import type { Next } from "./steps.ts"

const noStore = new InvalidConfiguration({
  problems: [{
    setting: "MCP_STORE_URL",
    source: undefined,
    problem: "cannot be used here, because this host has no connection to a store",
    fix: "Remove it, run the gateway on Node, or provide LimitStore in the program that embeds it"
  }]
})

/** Builds the rate limiter of one server. It counts in the host's shared store, if one is configured. */
export const makeLimiter = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const store = yield* LimitStore
  if (store === undefined && settings.storeUrl !== undefined) return yield* noStore
  return makeRateLimiter(settings, settings.serverName, (yield* LimitMemory) ?? makeMemoryCounters(), store)
})

const unnamed: ReadonlyArray<Pick<Operation, "subject">> = [{ subject: undefined }]

/**
 * Builds the step that counts the messages of an admitted request. If no limit applies to messages, the course skips
 * it.
 *
 * Unreadable messages are not counted: their request is rejected now, with the error that it would get later.
 */
export const makeLimiting = (
  { rateLimits, serverName, trustedProxies }: GatewaySettings,
  { reject }: OwnResponses
) => {
  const readsMessages = rateLimits.some(({ on }) => on === "messages")

  return {
    /** Whether the step needs the whole body. */
    readsMessages,
    count: <A>(
      exchange: Exchange,
      identity: Identity | undefined,
      body: Uint8Array | undefined,
      counted: () => Next<A>
    ): Next<A> => {
      if (!readsMessages) return counted()
      const unreadable = body === undefined ? undefined : noteOperations(exchange, body)
      if (unreadable !== undefined) return reject(exchange, unreadable)
      const { group } = requesterOf(trustedProxies, exchange.request, exchange.trustedPeer)
      return {
        _tag: "CountMessages",
        caller: { identity, address: group, server: serverName },
        // A request that a proxy asks about counts as one message, even if its head does not name the operation.
        messages: (exchange.operations ?? (exchange.subrequest === undefined ? [] : unnamed)).map(({ subject }) => ({
          tool: subject?.kind === "tool" ? subject.name : undefined
        })),
        counted,
        rejected: (error) =>
          reject(
            exchange,
            error._tag === "RateLimited" ? new RateLimited({ ...error, id: requestIdOf(body) }) : error
          )
      }
    }
  }
}
