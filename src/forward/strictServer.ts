/** Detects MCP servers that reject the additions to `initialize`, and remembers them. */
import * as Effect from "effect/Effect"
import { joinBytes } from "../message/json/spliceBytes.ts"
import { EventFramer } from "../message/sse/eventFramer.ts"
import { changeData } from "../message/sse/eventMessage.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"
import { injectable } from "./injection.ts"

type Head = Pick<UpstreamResponse, "headers" | "status">

/** In bytes. A longer response is not a rejection. */
const maxRejectionBytes = 64 * 1024

const rememberedMillis = 3_600_000

// Error codes of servers with strict schemas (JSON-RPC 2.0, section 5.1). Some report a failed check as an internal
// error or a parse error.
const codes: ReadonlySet<unknown> = new Set([-32_602, -32_600, -32_603, -32_700])

// Web frameworks respond 422 if a body does not match its schema.
const rejecting: ReadonlySet<number> = new Set([400, 422])

const decoder = new TextDecoder()

const parsed = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(decoder.decode(body))
  } catch {
    return undefined
  }
}

/** Returns whether a body, which need not be a JSON-RPC message, rejects the request because of its content. */
const rejects = (status: number, body: Uint8Array): boolean => {
  const message = parsed(body)
  const error = typeof message === "object" && message !== null && "error" in message ? message.error : undefined
  return typeof error === "object" && error !== null && "code" in error ? codes.has(error.code) : rejecting.has(status)
}

/**
 * Reads a response to `initialize` until it is clear whether it is a rejection.
 *
 * Pass it the chunks with `push`, and then call `end`, until one of them returns `true` (rejected) or `false` (to
 * forward the response, beginning with `held`).
 */
export class RejectionReader {
  /** The bytes so far. */
  readonly held: Array<Uint8Array> = []
  readonly #status: number
  readonly #framer: EventFramer | undefined
  #size = 0
  #message: Uint8Array | undefined

  private constructor(status: number, isStream: boolean) {
    this.#status = status
    if (!isStream) return
    this.#framer = new EventFramer((event) => {
      changeData(event, (data) => {
        // Only the first event counts: if another event precedes the response, the request was accepted.
        if (data.length > 0) this.#message ??= data
        return data
      })
      return event
    }, maxRejectionBytes)
  }

  /** Returns `undefined` if the head already shows that the response is not a rejection. */
  static make(head: Head): RejectionReader | undefined {
    if (rejecting.has(head.status)) return new RejectionReader(head.status, false)
    const form = injectable(head)
    return form === "Neither" ? undefined : new RejectionReader(head.status, form === "Events")
  }

  push(chunk: Uint8Array): boolean | undefined {
    this.held.push(chunk)
    this.#size += chunk.length
    this.#framer?.push(chunk)
    if (this.#message !== undefined) return rejects(this.#status, this.#message)
    return this.#size > maxRejectionBytes ? false : undefined
  }

  end(): boolean {
    return this.#framer === undefined && rejects(this.#status, joinBytes(this.held))
  }

  /** Returns whether a response that has arrived completely is a rejection. */
  whole(body: Uint8Array): boolean {
    return this.push(body) ?? this.end()
  }
}

/** Whether the MCP server rejects the additions. Remembered for an hour only, because the server may be replaced. */
export class StrictServer {
  readonly #nowMillis: () => number
  #until = 0

  constructor(nowMillis: () => number) {
    this.#nowMillis = nowMillis
  }

  get isStrict(): boolean {
    return this.#nowMillis() < this.#until
  }

  learn(): void {
    this.#until = this.#nowMillis() + rememberedMillis
  }
}

/** Logs that the gateway adds nothing to `initialize` for an hour. */
export const logStrict: Effect.Effect<void> = Effect.logWarning(
  "The MCP server rejects an initialize request with params._authContext and accepts it without. For an hour nothing is added " +
    "to initialize and its response. Set MCP_INJECT_REQUEST_CONTEXT=false and MCP_INJECT_RESPONSE_CONTEXT=false to save it the " +
    "second request, or make it accept unknown members."
)

// The early Java SDK for this revision fails on unknown members in `serverInfo`.
const firstVersion = "2024-11-05"

/** Returns whether the client that sends this `initialize` may fail on unknown members of the response. */
export const isEarlyClient = (initialize: Uint8Array): boolean => {
  const message = parsed(initialize)
  const params = typeof message === "object" && message !== null && "params" in message ? message.params : undefined
  return typeof params === "object" && params !== null && "protocolVersion" in params &&
    params.protocolVersion === firstVersion
}
