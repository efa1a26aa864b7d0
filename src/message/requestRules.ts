/** What is asked of the rewriting of a request body, and what is learnt by it. */
import type { RequestId } from "./json/scalarValue.ts"

export interface RequestRules {
  /** Gives the serialised JSON object to put into `initialize`, asked where there is one; `undefined` to put none. */
  readonly authContext: (() => Uint8Array) | undefined
  /** Whether nobody asks which tools are called: then `tools` is empty, and no name of one is kept. */
  readonly ignoreTools?: boolean
}

export interface RequestSummary {
  /**
   * The `id` that the answer to `initialize` will bear; `undefined` if there is none, if it is one that JSON-RPC does not
   * allow or that exceeds `maxTokenBytes`, and if this is no `initialize`.
   */
  readonly initializeId: RequestId | undefined
  /** It opens a stream of notifications that has no end of its own: `subscriptions/listen` of MCP 2026-07-28. */
  readonly listens: boolean
  /** The tools that are called, a batch may call several. */
  readonly tools: ReadonlyArray<string>
}
