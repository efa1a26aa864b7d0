/** What rules allow callers without a token. Pure. */
import type { Operation } from "../message/operation.ts"
import { decide } from "./decide.ts"
import type { Policy } from "./Policy.ts"

/** Whether there is something that anyone may do, so that a request without a token has to be read. */
export const allowsAnyone = ({ rules }: Policy): boolean => rules.some(({ anyone }) => anyone)

const initialize: Operation = { method: "initialize", subject: undefined, arguments: undefined }

export const letsAnyoneBegin = (policy: Policy): boolean =>
  decide(policy, initialize, undefined, { now: 0, server: "" })._tag === "Allow"

/** Whether a decision of the rules depends on the arguments of messages. */
export const argumentsDecide = ({ rules }: Policy): boolean => rules.some(({ when }) => when?.needsArguments === true)
