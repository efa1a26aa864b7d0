import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { logFault } from "./accessLog.ts"
import type { Audit } from "./audit.ts"
import type { Exchange } from "./Exchange.ts"

/** A request that is over, with its response. */
export interface ObservedExchange {
  readonly exchange: Exchange
  /** The name of the MCP server; empty if it has none, and for requests that are for none of several servers. */
  readonly server: string
  /** From the arrival of the request to the end of its response. */
  readonly durationMillis: number
  /** Milliseconds since 1970. */
  readonly endedAt: number
}

/** Takes a request that is over. Must not wait for anything, and keep nothing of the exchange itself. */
export type ObserveExchange = (observed: ObservedExchange) => void

/**
 * What observes all requests of a host: the status page of the program on Node. `undefined`: nothing.
 *
 * Where there is one, there must be an `AuditLog` as well, because of which drivers report each exchange.
 */
export class ExchangeObserver extends Context.Reference<ObserveExchange | undefined>(
  "mcp-authorizer/http/ExchangeObserver",
  { defaultValue: () => undefined }
) {}

/** Writes the entries of an exchange, after the observer has seen it. */
export const withObserver = (
  log: Audit,
  { serverName: server }: { readonly serverName: string },
  observe: ObserveExchange | undefined
): Audit =>
  observe === undefined
    ? log
    : (exchange, ended) =>
      Effect.andThen(
        Effect.gen(function*() {
          const elapsed = (yield* Clock.currentTimeNanos) - exchange.startedAtNanos
          observe({
            exchange,
            server,
            durationMillis: Number(elapsed) / 1e6,
            endedAt: yield* Clock.currentTimeMillis
          })
        }).pipe(Effect.catchDefect((defect) => logFault(exchange, defect))),
        log(exchange, ended)
      )
