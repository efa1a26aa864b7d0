/**
 * What comes next for a request, as values.
 *
 * The course says it, and a driver does it: `HttpApp` with effects, Node with callbacks, Spin with promises. A driver is a
 * `switch` over these types that ends in `satisfies never`, so that it does not compile while it leaves a step out.
 */
import type * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Result from "effect/Result"
import type { BearerToken } from "../../credential/BearerToken.ts"
import type { CredentialError } from "../../credential/parseAuthorization.ts"
import type { GatewayError, PayloadTooLarge, UpstreamError } from "../../errors/GatewayError.ts"
import type { FacadeRequest, FacadeResponse } from "../../facade/FacadeRequest.ts"
import type { Asker } from "../../fairness/Asker.ts"
import type { Owner } from "../../fairness/FairQueue.ts"
import type { ResponseHead, UpstreamRequest } from "../../forward/GatewayClient.ts"
import type { ResponseLife } from "../../forward/responseLife.ts"
import type { BoundSession } from "../../forward/SessionSeal.ts"
import type { RejectionReader } from "../../forward/strictServer.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { LimitedCaller, LimitedMessage } from "../../limits/charges.ts"
import type { BodyFilter } from "../../message/BodyFilter.ts"
import type { RequestRewriter } from "../../message/requestRewriter.ts"
import type { RequestSummary } from "../../message/requestRules.ts"
import type { UpstreamCaller, UpstreamFields } from "../../upstream/UpstreamFields.ts"
import type { PublishedName } from "../discovery.ts"

/** Send this response of the gateway's own, in place of any other. It is complete, and noted in the exchange. */
export interface Respond {
  readonly _tag: "Respond"
  readonly response: HttpServerResponse
}

/** What a step that may fail goes on with then. */
type Rejected = (error: GatewayError) => Respond

/** Look for the token among those that are verified already, and verify it if it is not there. */
export interface Verify<A> {
  readonly _tag: "Verify"
  /** The text of the credential, which may turn out to be no token. */
  readonly credential: string
  /** Makes a token of it. */
  readonly token: () => Result.Result<BearerToken, CredentialError>
  readonly asker: () => Asker
  readonly verified: (identity: Identity) => Next<A>
  readonly rejected: Rejected
}

/** Find out to which session of the MCP server a sealed id belongs. */
export interface OpenSession<A> {
  readonly _tag: "OpenSession"
  readonly identity: Identity | undefined
  readonly sealed: string
  readonly opened: (session: BoundSession) => Next<A>
  readonly rejected: Rejected
}

/** Count the messages of a request, unless they are more than the rate limits allow. */
export interface CountMessages<A> {
  readonly _tag: "CountMessages"
  readonly caller: LimitedCaller
  readonly messages: ReadonlyArray<LimitedMessage>
  readonly counted: () => Next<A>
  readonly rejected: Rejected
}

/** Get the fields by which the MCP server knows for whom a request is sent. */
export interface AuthorizeUpstream<A> {
  readonly _tag: "AuthorizeUpstream"
  readonly caller: UpstreamCaller
  readonly asker: () => Asker
  readonly authorized: (fields: UpstreamFields) => Next<A>
  readonly rejected: Rejected
}

/** Get a metadata document, which may be a provider's. */
export interface Document {
  readonly _tag: "Document"
  readonly name: PublishedName
  readonly publicUrl: string
  readonly received: (response: HttpServerResponse) => Respond
  readonly rejected: Rejected
}

/** Ask the providers whether they are ready. */
export interface Readiness {
  readonly _tag: "Readiness"
  readonly received: (response: HttpServerResponse) => Respond
  readonly rejected: Rejected
}

/** Let the facade respond, in the place of the provider's authorization server. */
export interface Facade {
  readonly _tag: "Facade"
  readonly request: FacadeRequest
  readonly received: (response: FacadeResponse) => Respond
  readonly rejected: Rejected
}

/** The steps that a service has to take (`perform.ts`). */
export type Waiting<A> =
  | Verify<A>
  | OpenSession<A>
  | CountMessages<A>
  | AuthorizeUpstream<A>
  | Document
  | Readiness
  | Facade

/** Read the body of the request. */
export interface ReadBody<A> {
  readonly _tag: "ReadBody"
  /** Bytes. */
  readonly limit: number
  /** Whose memory it takes. */
  readonly owner: Owner
  /** The whole body is here. */
  readonly whole: (bytes: Uint8Array) => Next<A>
  /** The body is too long to be collected, and the driver can send it while it arrives; `undefined`: it is collected anyway. */
  readonly streamed: (() => Next<A>) | undefined
  /** The body is longer than `limit`. */
  readonly tooLarge: () => Respond
  readonly rejected: Rejected
}

/** This part of the course is over. */
export interface Ready<A> {
  readonly _tag: "Ready"
  readonly value: A
}

/** What comes next for a request whose course ends in an `A`, or in a response of the gateway's own. */
export type Next<A> = Respond | ReadBody<A> | Ready<A> | Waiting<A>

/** A message that leaves while it arrives. */
export interface StreamedMessage {
  readonly limit: number
  readonly rewriter: RequestRewriter
  /** All of it has arrived; gives the error where it may not go on. */
  readonly complete: (message: RequestSummary) => GatewayError | undefined
  readonly tooLarge: PayloadTooLarge
}

/** A request that is to be sent to the MCP server, and what becomes of the response. */
export interface Sending {
  readonly request: UpstreamRequest
  /** The message, where it is not in the request. */
  readonly message: StreamedMessage | undefined
  /**
   * The head of the response has arrived. To be asked again for each request that was sent again.
   *
   * @param hasBody there is a body, or perhaps one
   */
  readonly head: (head: ResponseHead, hasBody: boolean) => HeadStep
  /** There is no response, or one that cannot be written; or the message was rejected while it was sent. */
  readonly rejected: Rejected
}

/** Give up this response, and send the request again in this form. */
export interface Resend {
  readonly _tag: "Resend"
  readonly request: UpstreamRequest
}

/** Read the body as far as the reader needs it, and keep what was read. */
export interface Inspect {
  readonly _tag: "Inspect"
  readonly reader: RejectionReader
  readonly read: (isRejected: boolean) => HeadStep
}

/** Seal the id of a session (`perform.ts`). */
export interface SealSession {
  readonly _tag: "SealSession"
  readonly identity: Identity | undefined
  readonly id: string
  readonly sealed: (id: string) => HeadStep
}

/** Write this to the log, and go on. */
export interface Notify {
  readonly _tag: "Notify"
  readonly log: Effect.Effect<void>
  readonly next: HeadStep
}

/** How the body of a response is changed. */
export interface BodyChange {
  readonly filter: BodyFilter
  /** The error for a fault of the filter. */
  readonly faulty: (fault: string) => UpstreamError
  /**
   * Nothing leaves before the end, so that an error can take the place of the response; `undefined`: the body leaves while
   * it passes, and breaks off at a fault.
   */
  readonly whole: WholeBody | undefined
}

/** What applies to a body that is collected. */
export interface WholeBody {
  /** Bytes; a longer one is given up for an error. */
  readonly limit: number
  readonly tooLarge: () => UpstreamError
}

/** Hand the response on. */
export interface Relay {
  readonly _tag: "Relay"
  readonly status: number
  /** All fields, in lower case; without a length where the body is changed. */
  readonly headers: Record<string, string | ReadonlyArray<string>>
  readonly change: BodyChange | undefined
  /** How long a body may take that is still arriving; to be asked now. */
  readonly life: () => ResponseLife | undefined
}

/** What comes next for a response of the MCP server, by its head. `Respond` gives it up. */
export type HeadStep = Respond | Resend | Inspect | SealSession | Notify | Relay
