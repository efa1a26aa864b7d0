/** Requests to the facade and its responses, independent of HTTP. */
import type { GatewayError } from "../errors/GatewayError.ts"
import type { Json } from "../identity/Json.ts"
import type { FacadeEndpoint } from "./places.ts"
import type { Language } from "./texts.ts"

export interface FacadeRequest {
  readonly endpoint: FacadeEndpoint
  /** The query as received, without its `?`. */
  readonly query: string
  /** The body; empty for requests without one. */
  readonly body: Uint8Array
  readonly contentType: string | undefined
  /** The value of `Authorization`. */
  readonly authorization: string | undefined
  /** The value of `Cookie`. */
  readonly cookie: string | undefined
  /** Whether another site made the browser send the request, according to `Sec-Fetch-Site` and `Origin`. */
  readonly isCrossSite: boolean
  readonly language: Language
  /** The share that the peer's address belongs to; empty if the address is unknown. */
  readonly peer: string
}

/** A response of the facade. Other errors become a page for browsers, and JSON for clients. */
export type FacadeResponse =
  /** With `created`, a client was registered. */
  | { readonly _tag: "Json"; readonly body: { readonly [member: string]: Json }; readonly created?: true }
  /** Success, with nothing else to say. */
  | { readonly _tag: "Done" }
  | {
    readonly _tag: "Page"
    readonly html: string
    readonly setCookie?: string | undefined
    /** The error that the page shows, for the log. */
    readonly error?: GatewayError | undefined
  }
  | {
    readonly _tag: "Redirect"
    readonly location: string
    readonly setCookie?: string | undefined
    /** The error in the redirect to the client, for the log. */
    readonly error?: GatewayError | undefined
  }
