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

/** Look the token up in the cache; if it is not there, verify it. */
export interface Verify<A> {
  readonly _tag: "Verify"
  /** The text of the credential. It may not have the form of a token. */
  readonly credential: string
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

/** Get the fields that prove to the MCP server who the caller is. */
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

export interface Readiness {
  readonly _tag: "Readiness"
  readonly received: (response: HttpServerResponse) => Respond
  readonly rejected: Rejected
}

/** Let the facade handle the request, in place of the provider's authorization server. */
export interface Facade {
  readonly _tag: "Facade"
  readonly request: FacadeRequest
  readonly received: (response: FacadeResponse) => Respond
  readonly rejected: Rejected
}

/** Steps that need a service (`perform.ts`). */
export type Waiting<A> =
  | Verify<A>
  | OpenSession<A>
  | CountMessages<A>
  | AuthorizeUpstream<A>
  | Document
  | Readiness
  | Facade

export interface ReadBody<A> {
  readonly _tag: "ReadBody"
  readonly limit: number
  /** The owner of the memory that it uses. */
  readonly owner: Owner
  readonly whole: (bytes: Uint8Array) => Next<A>
  /**
   * Called instead of `whole` if the body is too long to be collected and the driver can send it while it arrives;
   * `undefined`: long bodies are collected as well.
   */
  readonly streamed: (() => Next<A>) | undefined
  /** The body is longer than `limit`. */
  readonly tooLarge: () => Respond
  readonly rejected: Rejected
}

/** This part of the course is complete. */
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
  /** The whole message has arrived; returns the error if the message is rejected. */
  readonly complete: (message: RequestSummary) => GatewayError | undefined
  readonly tooLarge: PayloadTooLarge
}

/** A request for the MCP server, and how the course continues with its response. */
export interface Sending {
  readonly request: UpstreamRequest
  /** The message, if it is not part of `request` because it is still arriving. */
  readonly message: StreamedMessage | undefined
  /**
   * The head of the response has arrived. Called again for the response to each `Resend`.
   *
   * @param hasBody whether the response has, or may have, a body
   */
  readonly head: (head: ResponseHead, hasBody: boolean) => HeadStep
  /** There is no response, or it cannot be forwarded; or the message was rejected while it was sent. */
  readonly rejected: Rejected
}

/** Discard this response, and send the request again in this form. */
export interface Resend {
  readonly _tag: "Resend"
  readonly request: UpstreamRequest
}

/** Read as much of the body as the reader needs, and keep the bytes for forwarding. */
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

export interface BodyChange {
  readonly filter: BodyFilter
  readonly faulty: (fault: string) => UpstreamError
  /**
   * If set, the whole body is collected before any of it is forwarded, so that an error can replace the response. If
   * `undefined`, the body is forwarded as it arrives, and aborted at a fault.
   */
  readonly whole: WholeBody | undefined
}

/** The limit of a body that is collected, and its error. */
export interface WholeBody {
  /** In bytes. A longer body results in `tooLarge`. */
  readonly limit: number
  readonly tooLarge: () => UpstreamError
}

export interface Relay {
  readonly _tag: "Relay"
  readonly status: number
  /** All fields, with names in lower case. `content-length` is left out if the body is changed. */
  readonly headers: Record<string, string | ReadonlyArray<string>>
  readonly change: BodyChange | undefined
  /** Returns how long the rest of the body may take from now. */
  readonly life: () => ResponseLife | undefined
}

/** The next step for a response of the MCP server, given its head. `Respond` discards that response. */
export type HeadStep = Respond | Resend | Inspect | SealSession | Notify | Relay
