import * as Data from "effect/Data"

/** A request failed on its way through a proxy: what clients that use one fail with, so that the log can say so. */
export class ProxyFailed extends Data.TaggedError("ProxyFailed")<{
  /** Scheme, host and port; never credentials. */
  readonly proxy: string
  /** `PROXY_407`: the proxy refused, with this status. */
  readonly code?: string | undefined
  readonly cause?: unknown
}> {}
