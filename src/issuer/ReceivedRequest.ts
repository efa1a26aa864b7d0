/** A request that a test peer received, recorded for assertions. */
export interface ReceivedRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names. Repeated fields are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** As UTF-8, at most the first MiB. */
  readonly body: string
}

/** Larger than any form that an issuer receives. */
export const maxBodyBytes = 1_048_576
