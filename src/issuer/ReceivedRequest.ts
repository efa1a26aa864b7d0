/** A request that a test peer received, kept so that a test can look at it. */
export interface ReceivedRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names; repeated fields joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** As UTF-8; what comes after the first MiB is left out. */
  readonly body: string
}

/** Far more than any form that an issuer is sent. */
export const maxBodyBytes = 1_048_576
