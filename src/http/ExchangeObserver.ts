import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { logFault } from "./accessLog.ts"
import type { Audit } from "./audit.ts"
import type { Exchange } from "./Exchange.ts"

/** A request and its response, after the response has ended. */
export interface ObservedExchange {
  readonly exchange: Exchange
  /** The name of the MCP server; empty if the server has no name, and if no server is configured for the request. */
  readonly server: string
  /** From the arrival of the request to the end of its response. */
  readonly durationMillis: number
  /** Milliseconds since 1970. */
  readonly endedAt: number
}

/** Called for each request that is over. Must return without waiting, and must not keep a reference to the exchange. */
export type ObserveExchange = (observed: ObservedExchange) => void

/**
 * Observes all requests of a host; `undefined` if nothing does. On Node this is the status page.
 *
 * A host that provides an observer must provide an `AuditLog` as well: without one, drivers skip exchanges below the log
 * level.
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
