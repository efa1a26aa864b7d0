import * as Data from "effect/Data"

/** A request through a proxy failed. HTTP clients that use a proxy fail with it, so that the log can name the proxy. */
export class ProxyFailed extends Data.TaggedError("ProxyFailed")<{
  /** Scheme, host and port; never credentials. */
  readonly proxy: string
  /** `PROXY_407`: the proxy rejected the request with this status. */
  readonly code?: string | undefined
  readonly cause?: unknown
}> {}
