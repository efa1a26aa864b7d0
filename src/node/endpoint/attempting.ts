import type { AnswerReceiver } from "../UpstreamCall.ts"
import type { RelayedExchange } from "./AnswerRelay.ts"

/** The same receiver, each of whose steps ends in an answer whatever happens in it. */
export const attempting = (to: Pick<RelayedExchange, "attempt">, receiver: AnswerReceiver): AnswerReceiver => ({
  whole: (head, body) => to.attempt(() => receiver.whole(head, body)),
  begin: (head, controller) => to.attempt(() => receiver.begin(head, controller)),
  piece: (chunk) => to.attempt(() => receiver.piece(chunk)),
  end: () => to.attempt(() => receiver.end()),
  fail: (error) => to.attempt(() => receiver.fail(error))
})
