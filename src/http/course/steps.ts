/**
 * The next step for a request, as a value.
 *
 * The course returns the step, and a driver carries it out: `HttpApp` with effects, Node with callbacks, Spin with
 * promises. A driver is a `switch` over these types that ends in `satisfies never`, so that it does not compile if it
 * lacks a step.
 */
import type * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Result from "effect/Result"
import type { BearerToken } from "../../credential/BearerToken.ts"
import type { CredentialError } from "../../credential/parseAuthorization.ts"
import type { GatewayError, PayloadTooLarge, UpstreamError } from "../../errors/GatewayError.ts"
import type { FacadeRequest, FacadeResponse } from "../../facade/FacadeRequest.ts"
import type { Owner } from "../../fairness/FairQueue.ts"
import type { Requester } from "../../fairness/Requester.ts"
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

/** Send this response of the gateway itself. It is complete, and recorded in the exchange. */
export interface Respond {
  readonly _tag: "Respond"
  readonly response: HttpServerResponse
}

/** How the course continues if the step fails. */
type Rejected = (error: GatewayError) => Respond

/** Look the token up in the cache, and verify it if it is not cached. */
export interface Verify<A> {
  readonly _tag: "Verify"
  /** The text of the credential, which may not be a valid token. */
  readonly credential: string
  /** Parses it as a token. */
  readonly token: () => Result.Result<BearerToken, CredentialError>
  readonly requester: () => Requester
  readonly verified: (identity: Identity) => Next<A>
  readonly rejected: Rejected
}

/** Find the MCP server's session for a sealed id. */
export interface OpenSession<A> {
  readonly _tag: "OpenSession"
  readonly identity: Identity | undefined
  readonly sealed: string
  readonly opened: (session: BoundSession) => Next<A>
  readonly rejected: Rejected
}

/** Count the messages of a request, unless they exceed the rate limits. */
export interface CountMessages<A> {
  readonly _tag: "CountMessages"
  readonly caller: LimitedCaller
  readonly messages: ReadonlyArray<LimitedMessage>
  readonly counted: () => Next<A>
  readonly rejected: Rejected
}

/** Get the fields that prove to the MCP server for whom a request is sent. */
export interface AuthorizeUpstream<A> {
  readonly _tag: "AuthorizeUpstream"
  readonly caller: UpstreamCaller
  readonly requester: () => Requester
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

/** Check whether the providers are ready. */
export interface Readiness {
  readonly _tag: "Readiness"
  readonly received: (response: HttpServerResponse) => Respond
  readonly rejected: Rejected
}

/** Let the facade respond, instead of the provider's authorization server. */
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
  /** The owner of the memory that it uses. */
  readonly owner: Owner
  /** The whole body has arrived. */
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

/** The next step for a request whose course ends with an `A`, or with a response of the gateway itself. */
export type Next<A> = Respond | ReadBody<A> | Ready<A> | Waiting<A>

/** A message that is forwarded while it arrives. */
export interface StreamedMessage {
  readonly limit: number
  readonly rewriter: RequestRewriter
  /** All of it has arrived; returns the error if it is rejected. */
  readonly complete: (message: RequestSummary) => GatewayError | undefined
  readonly tooLarge: PayloadTooLarge
}

/** A request for the MCP server, and the continuation for its response. */
export interface Sending {
  readonly request: UpstreamRequest
  /** The message, if it is not in the request. */
  readonly message: StreamedMessage | undefined
  /**
   * The head of the response has arrived. Call it again for each request that was sent again.
   *
   * @param hasBody there is a body, or perhaps one
   */
  readonly head: (head: ResponseHead, hasBody: boolean) => HeadStep
  /** There is no response, or one that cannot be forwarded; or the message was rejected while it was sent. */
  readonly rejected: Rejected
}

/** Discard this response, and send the request again in this form. */
export interface Resend {
  readonly _tag: "Resend"
  readonly request: UpstreamRequest
}

/** Read the body as far as the reader needs it, and keep the bytes. */
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

/** Write this to the log, and continue. */
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
   * Nothing is forwarded before the end, so that an error can replace the response; `undefined`: the body is forwarded
   * as it arrives, and aborted at a fault.
   */
  readonly whole: WholeBody | undefined
}

/** What applies to a body that is collected. */
export interface WholeBody {
  /** Bytes; a longer body results in an error. */
  readonly limit: number
  readonly tooLarge: () => UpstreamError
}

/** Forward the response. */
export interface Relay {
  readonly _tag: "Relay"
  readonly status: number
  /** All fields, in lower case; without a length where the body is changed. */
  readonly headers: Record<string, string | ReadonlyArray<string>>
  readonly change: BodyChange | undefined
  /** Returns how long a body that is still arriving may take from now. */
  readonly life: () => ResponseLife | undefined
}

/** The next step for a response of the MCP server, by its head. `Respond` discards it. */
export type HeadStep = Respond | Resend | Inspect | SealSession | Notify | Relay
