import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** The properties of a server at the start of a TLS connection. */
export interface TlsState {
  /** When its certificate expires, in milliseconds since 1970. */
  readonly expires: number
  readonly issuer: string
}

/**
 * Reads the certificate of a server, which an `HttpClient` does not show.
 *
 * `undefined` without TLS, through a proxy, or if the platform cannot read it, which is the default.
 */
export const TlsInspector = Context.Reference<(url: URL) => Effect.Effect<TlsState | undefined>>(
  "mcp-authorizer/doctor/wire/TlsInspector",
  { defaultValue: () => () => Effect.succeed(undefined) }
)
