import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { ReceivedChallenge } from "../forward/parseChallenges.ts"
import type { JsonObject } from "../remote/JsonObject.ts"
import type { Finding, Rule } from "./Finding.ts"
import type { Exchanges } from "./wire/Exchanges.ts"
import type { Responded } from "./wire/Reply.ts"

/** The metadata of the protected resource (RFC 9728), as far as they are usable. */
export interface KnownResource {
  readonly url: string
  readonly document: JsonObject
  /** `authorization_servers`, as written. */
  readonly servers: ReadonlyArray<string>
  readonly scopes: ReadonlyArray<string>
}

/** An authorization server that the resource names, and its metadata. */
export interface KnownServer {
  /** The issuer, as the resource metadata spell it. */
  readonly issuer: string
  readonly url: string
  readonly document: JsonObject
}

/** A session, in revisions of the protocol with `initialize`. */
export interface KnownSession {
  /** `Mcp-Session-Id`; `undefined` if the server issues none. */
  readonly id: string | undefined
  readonly version: string
  readonly capabilities: JsonObject
}

/** A tool that the operator permits to be called, to measure its stream. */
export interface Call {
  readonly tool: string
  readonly arguments: JsonObject
}

/** The input of a step: what the operator has given, and what earlier steps have found. */
export interface Known {
  /** The URL of the MCP server. */
  readonly url: URL
  readonly token?: Redacted.Redacted<string> | undefined
  /** Whether to register a client temporarily, as clients do. */
  readonly register: boolean
  readonly call?: Call | undefined
  /** How long to listen to an event stream. */
  readonly listenMillis: number
  /** The response to the first request of a client without a token. */
  readonly arrival?: Responded | undefined
  /** Whether the server responds to callers without a token. */
  readonly isOpen: boolean
  /** Whether the server supports the revision without sessions. */
  readonly isModern: boolean
  readonly challenge?: ReceivedChallenge | undefined
  readonly resource?: KnownResource | undefined
  readonly servers: ReadonlyArray<KnownServer>
  readonly session?: KnownSession | undefined
}

export interface Outcome {
  /** What was seen, in one line. */
  readonly seen: string
  readonly findings: ReadonlyArray<Finding>
  readonly learned?: Partial<Known> | undefined
  readonly isSkipped?: boolean | undefined
  /** Whether no later step can be checked. */
  readonly isEnd?: boolean | undefined
}

export interface Step {
  readonly id: string
  readonly title: string
  /** All findings that the step can report. */
  readonly rules: Readonly<Record<string, Rule>>
  readonly check: (known: Known) => Effect.Effect<Outcome, never, Exchanges>
}

export const skipped = (seen: string): Outcome => ({ seen, findings: [], isSkipped: true })
