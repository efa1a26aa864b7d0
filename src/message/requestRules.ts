/** The rules for rewriting a request body, and the findings. */
import type { RequestId } from "./json/scalarValue.ts"
import type { MirroredFields, SaidByMessage } from "./mirrors.ts"

export interface RequestRules {
  /** Returns the serialised JSON object to add to `initialize`; called only where there is one. `undefined` adds nothing. */
  readonly authContext: (() => Uint8Array) | undefined
  /** Whether the called tools are of no interest: then `tools` is empty, and no tool name is kept. */
  readonly ignoreTools?: boolean
  /** Whether the summary names the method of the message. */
  readonly namesMethod?: boolean
  /** The fields that should repeat the message; without them, the contents for a comparison are not collected. */
  readonly mirrored?: MirroredFields | undefined
}

/** The operation of a body, as far as its method names it. */
export interface MeasuredMethod {
  readonly isBatch: boolean
  /** `undefined` for a batch, for a response of the client, and for a name that is too long. */
  readonly method: string | undefined
}

export interface RequestSummary {
  /**
   * The `id` of an `initialize` request, which its response will carry; `undefined` for any other message, and for an id
   * that is missing, not allowed by JSON-RPC, or longer than `maxTokenBytes`.
   */
  readonly initializeId: RequestId | undefined
  /** Whether the message opens an endless stream of notifications: `subscriptions/listen` of MCP 2026-07-28. */
  readonly listens: boolean
  /** The called tools; a batch may call several. */
  readonly tools: ReadonlyArray<string>
  /** The method of the message, if it was requested. */
  readonly measured?: MeasuredMethod
  /** What the fields of the request have to repeat, if anything. */
  readonly said: SaidByMessage | undefined
}
