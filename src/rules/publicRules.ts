/** What the rules allow to callers without a token. Pure. */
import type { Operation } from "../message/operation.ts"
import { decide } from "./decide.ts"
import type { Policy } from "./Policy.ts"

/** Returns whether anything is allowed to anyone. If so, the body of a request without a token has to be read. */
export const allowsAnyone = ({ rules }: Policy): boolean => rules.some(({ anyone }) => anyone)

const initialize: Operation = { method: "initialize", subject: undefined, arguments: undefined }

export const letsAnyoneBegin = (policy: Policy): boolean =>
  decide(policy, initialize, undefined, { now: 0, server: "" })._tag === "Allow"

export const argumentsDecide = ({ rules }: Policy): boolean => rules.some(({ when }) => when?.needsArguments === true)
