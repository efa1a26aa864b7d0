import { type Dispatcher, Pool } from "undici"
import { gatewaySocket } from "../../config/kinds/gatewaySocket.ts"
import type { UpstreamRequest } from "../../forward/GatewayClient.ts"
import { isRepeatable } from "../../forward/repeatable.ts"
import type { UpstreamTls } from "../outbound/upstreamTls.ts"
import { Attempt } from "./Attempt.ts"
import { ReuseRecord } from "./ReuseRecord.ts"
import { type ClientOptions, UpstreamClient } from "./UpstreamClient.ts"
import type { Loss } from "./UpstreamConnection.ts"

const connectTimeoutMillis = 10_000

// The maximum idle timeout that is taken from a server, and how long before its end a connection is closed.
const longestHintMillis = 60_000
const hintMarginMillis = 1000

/** A request and, while it still arrives, its body. */
export interface Outgoing {
  readonly request: UpstreamRequest
  readonly stream: Dispatcher.DispatchOptions["body"] | undefined
}

/**
 * The connections to the one MCP server, kept for reuse as long as that works.
 *
 * A server may close a connection at the moment when the next request is sent over it. Such a request is sent again, once
 * and over a new connection, if the server cannot have read it, or if reading it twice does no harm; others fail.
 * Connections to a server that repeatedly closes them without notice are no longer reused.
 */
export class UpstreamConnections {
  readonly #record = new ReuseRecord()
  readonly #kept: Pool
  readonly #once: Pool

  /**
   * @param gatewayUrl `MCP_SERVER_URL`
   * @param idleMillis how long an idle connection is kept if the server names no timeout; 0: no reuse
   * @param tls what TLS needs; `undefined` if the MCP server has none
   */
  constructor(gatewayUrl: string, idleMillis: number, tls: UpstreamTls | undefined) {
    const socketPath = gatewaySocket(gatewayUrl)
    // A Unix socket has no host; its server gets `localhost` in `Host`.
    const origin = socketPath === undefined ? new URL(gatewayUrl).origin : "http://localhost"
    const options: Pool.Options = {
      connect: {
        timeout: connectTimeoutMillis,
        ...(socketPath === undefined ? {} : { socketPath }),
        ...(tls?.secureContext === undefined ? {} : { secureContext: tls.secureContext }),
        ...(tls?.servername === undefined ? {} : { servername: tls.servername })
      },
      // `UpstreamCall` has its own timeout, exact to the millisecond and including short bodies.
      headersTimeout: 0,
      // Event streams may be silent for any time.
      bodyTimeout: 0,
      factory: (url, clientOptions) =>
        // The pool replaces `connect` by a function, and passes all other options on.
        new UpstreamClient(url, clientOptions as ClientOptions, () => this.#record.closed(performance.now()))
    }
    this.#once = new Pool(origin, { ...options, pipelining: 0 })
    this.#kept = idleMillis === 0 ? this.#once : new Pool(origin, {
      ...options,
      pipelining: 1,
      keepAliveTimeout: idleMillis,
      keepAliveMaxTimeout: Math.max(idleMillis, longestHintMillis),
      keepAliveTimeoutThreshold: hintMarginMillis
    })
  }

  /** Sends a request. Throws, before anything is sent, if it cannot be written to the wire. */
  dispatch(outgoing: Outgoing, call: Dispatcher.DispatchHandler): void {
    const { request, stream } = outgoing
    const mayRepeat = (loss: Loss, code: string): boolean => {
      if (!loss.reused || loss.responseBegan) return false
      this.#record.closed(performance.now())
      // EPIPE: the system did not accept all of it, so the server cannot have the whole message.
      return stream === undefined && (code === "EPIPE" || isRepeatable(request))
    }
    const repeat = (): void => this.#send(this.#once, outgoing, new Attempt(call, () => false, () => {}))
    const pool = this.#record.mayReuse(performance.now()) ? this.#kept : this.#once
    this.#send(pool, outgoing, new Attempt(call, mayRepeat, repeat, () => this.#record.reused()))
  }

  #send(pool: Pool, { request, stream }: Outgoing, attempt: Attempt): void {
    const options: Dispatcher.DispatchOptions & { readonly attempt: Attempt } = {
      // Any token is a method to undici; its type lists the common ones.
      method: request.method as Dispatcher.HttpMethod,
      path: request.target,
      headers: request.headers,
      body: stream ?? request.body ?? null,
      attempt
    }
    pool.dispatch(options, attempt)
  }

  /** Closes all connections. Running requests fail. */
  async destroy(): Promise<void> {
    await Promise.all([this.#kept.destroy(), this.#once.destroy()])
  }
}
