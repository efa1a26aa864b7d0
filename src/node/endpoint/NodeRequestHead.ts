import type * as Headers from "effect/http/Headers"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Option from "effect/Option"
import type { IncomingMessage } from "node:http"
import type { RequestHead } from "../../http/requestHead.ts"

/** The head of a request as Node's parser has read it, without copies. */
export class NodeRequestHead implements RequestHead {
  readonly source: IncomingMessage
  readonly method: HttpMethod
  readonly url: string

  constructor(source: IncomingMessage) {
    const { method = "", url = "" } = source
    this.source = source
    // Any token is a method on the wire; the type lists the common ones.
    this.method = method as HttpMethod
    this.url = url
  }

  get originalUrl(): string {
    return this.url
  }

  get headers(): Headers.Headers {
    // Names are in lower case and repeated fields are joined, as in Effect's `Headers`, which only add a prototype for
    // printing.
    return this.source.headers as Headers.Headers
  }

  get peerAddress(): Option.Option<string> {
    return Option.fromNullishOr(this.source.socket.remoteAddress)
  }
}
