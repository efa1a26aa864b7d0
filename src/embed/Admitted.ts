import type * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { GatewayError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Finish } from "./finish.ts"

/** An admitted request, with its caller; `Guard.admit` also admits requests without one. */
export interface Admitted<Caller extends Identity | undefined = Identity> {
  readonly _tag: "Admitted"
  readonly identity: Caller
  /** Trace id, provider, and a digest of issuer and subject: for the handler's log entries and spans. */
  readonly annotations: Readonly<Record<string, string>>
  /**
   * The request for the handler: with the server's own session id, without the `Origin`, which the guard has checked,
   * without the token, and without fields that claim an identity.
   */
  readonly request: HttpServerRequest.HttpServerRequest
  /** The body, if it had to be read. The request contains it, too. */
  readonly body: Uint8Array | undefined
  /**
   * Returns the token, for hosts whose handlers expect it, such as those of the official SDK. Do not forward it to
   * another server: it was issued for this one.
   */
  readonly token: () => string | undefined
  /** Decides how the response must be completed, given its status and its own fields. */
  readonly finish: (status: number, field: (name: string) => string | undefined) => Effect.Effect<Finish>
}

/** The result for a request: the guard's own response, or an admitted request. */
export type GuardResult<Caller extends Identity | undefined = Identity> =
  | {
    readonly _tag: "Responded"
    readonly response: HttpServerResponse.HttpServerResponse
    /** The error behind the response, if there is one, for hosts with their own error responses. */
    readonly error?: GatewayError | undefined
  }
  | Admitted<Caller>
