/** The options for rewriting a request body, and the summary of its messages. */
import type { RequestId } from "./json/scalarValue.ts"
import type { MirroredContent, MirroredFields } from "./mirrors.ts"

export interface RequestRules {
  /**
   * Returns the serialised JSON object to add to an `initialize`, or `undefined` to add nothing. Called only for an
   * `initialize`.
   */
  readonly authContext: (() => Uint8Array) | undefined
  /** Whether called tools are not needed. If so, `tools` is empty. */
  readonly ignoreTools?: boolean
  readonly namesMethod?: boolean
  /** The fields that must repeat the message. Without them, the parts to compare are not collected. */
  readonly mirrored?: MirroredFields | undefined
}

/** The operation of a body, as far as its method shows it. */
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
  /** The tools that the body calls; a batch may call several. */
  readonly tools: ReadonlyArray<string>
  /** The method of the message, if it was requested. */
  readonly measured?: MeasuredMethod
  /** The parts that the fields of the request must repeat, if any. */
  readonly content: MirroredContent | undefined
}
