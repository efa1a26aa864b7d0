/** MCP servers that refuse what the gateway adds to `initialize`: how they are known, and what is remembered. */
import * as Effect from "effect/Effect"
import { joinBytes } from "../message/json/spliceBytes.ts"
import { EventFramer } from "../message/sse/eventFramer.ts"
import { changeData } from "../message/sse/eventMessage.ts"
import type { UpstreamResponse } from "./GatewayClient.ts"
import { injectable } from "./injection.ts"

type AnswerHead = Pick<UpstreamResponse, "headers" | "status">

/** A rejection is shorter than that; a longer response is not one. */
const maxRefusalBytes = 64 * 1024

const rememberedMillis = 3_600_000

// JSON-RPC 2.0, section 5.1: what servers with strict schemas answer. Some report a failed check as an internal error, or
// as one of parsing.
const codes: ReadonlySet<unknown> = new Set([-32_602, -32_600, -32_603, -32_700])

// 422 is what web frameworks answer where a body does not fit its schema.
const refusing: ReadonlySet<number> = new Set([400, 422])

const decoder = new TextDecoder()

const parsed = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(decoder.decode(body))
  } catch {
    return undefined
  }
}

/** Returns whether a body, even one that is not a message, rejects the request because of its content. */
const refuses = (status: number, body: Uint8Array): boolean => {
  const message = parsed(body)
  const error = typeof message === "object" && message !== null && "error" in message ? message.error : undefined
  return typeof error === "object" && error !== null && "code" in error ? codes.has(error.code) : refusing.has(status)
}

/**
 * Reads an answer to `initialize` as far as it has to be known whether it is a refusal.
 *
 * Give it what comes by `push` and `end` until either says `true` (refused) or `false` (handed on, `held` first).
 */
export class RefusalReader {
  /** What has come so far. */
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
        // The first one alone: what comes before the answer says that the request was taken.
        if (data.length > 0) this.#message ??= data
        return data
      })
      return event
    }, maxRefusalBytes)
  }

  /** `undefined` where the head says already that it is no refusal. */
  static make(head: AnswerHead): RefusalReader | undefined {
    if (refusing.has(head.status)) return new RefusalReader(head.status, false)
    const form = injectable(head)
    return form === "Neither" ? undefined : new RefusalReader(head.status, form === "Events")
  }

  push(chunk: Uint8Array): boolean | undefined {
    this.held.push(chunk)
    this.#size += chunk.length
    this.#framer?.push(chunk)
    if (this.#message !== undefined) return refuses(this.#status, this.#message)
    return this.#size > maxRefusalBytes ? false : undefined
  }

  end(): boolean {
    return this.#framer === undefined && refuses(this.#status, joinBytes(this.held))
  }

  /** Judges an answer that has come whole. */
  whole(body: Uint8Array): boolean {
    return this.push(body) ?? this.end()
  }
}

/** What is known of the MCP server, for an hour: it may have been replaced meanwhile by one that is less strict. */
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

/** Logs that nothing is added to `initialize` for an hour. */
export const logStrict: Effect.Effect<void> = Effect.logWarning(
  "The MCP server refuses an initialize request with params._authContext and takes it without. For an hour nothing is added " +
    "to initialize and its answer. Set MCP_INJECT_REQUEST_CONTEXT=false and MCP_INJECT_RESPONSE_CONTEXT=false to save it the " +
    "second request, or make it accept unknown members."
)

// It had no unknown members before: its early Java SDK fails on them in `serverInfo`.
const firstVersion = "2024-11-05"

/** Says whether the client that sends this `initialize` may fail on unknown members of the answer. */
export const isEarlyClient = (initialize: Uint8Array): boolean => {
  const message = parsed(initialize)
  const params = typeof message === "object" && message !== null && "params" in message ? message.params : undefined
  return typeof params === "object" && params !== null && "protocolVersion" in params &&
    params.protocolVersion === firstVersion
}
