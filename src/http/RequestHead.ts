import type * as HttpServerRequest from "effect/http/HttpServerRequest"

/** What is known of a request before anything of its body is read. */
export type RequestHead = Pick<
  HttpServerRequest.HttpServerRequest,
  "headers" | "method" | "originalUrl" | "peerAddress" | "source" | "url"
>
