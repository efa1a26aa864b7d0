import { type buildConnector, Client, type Dispatcher, errors } from "undici"
import { Attempt } from "./Attempt.ts"
import { UpstreamConnection } from "./UpstreamConnection.ts"

export type ClientOptions = Client.Options & { readonly connect: buildConnector.connector }

const abandoned = () => new errors.RequestAbortedError("no request waits for the response")

/** A client with at most one connection, which is opened only for a request whose response is still needed. */
export class UpstreamClient extends Client {
  #attempt: Attempt | undefined
  #connection: UpstreamConnection | undefined

  /** @param onIdleClosed called when the server closes a connection that is kept for the next request */
  constructor(origin: URL, options: ClientOptions, onIdleClosed: () => void) {
    super(origin, {
      ...options,
      connect: (target, callback) => {
        // undici sends a cancelled request again when its connection closes.
        if (this.#isAbandoned()) return queueMicrotask(() => callback(abandoned(), null))
        options.connect(target, (...[error, socket]) => {
          // With an error, undici passes no socket at all, although its type says `null`.
          if (error !== null) return callback(error, null)
          if (this.#isAbandoned()) {
            socket.destroy()
            return callback(abandoned(), null)
          }
          this.#connection = new UpstreamConnection(socket, onIdleClosed)
          this.#attempt?.goesOver(this.#connection)
          callback(null, socket)
        })
      }
    })
  }

  #isAbandoned(): boolean {
    return this.#attempt === undefined || this.#attempt.isOver
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if ("attempt" in options && options.attempt instanceof Attempt) {
      this.#attempt = options.attempt
      if (this.#connection !== undefined) this.#attempt.goesOver(this.#connection)
    }
    return super.dispatch(options, handler)
  }
}
