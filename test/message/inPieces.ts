/** A request body that is rewritten piece by piece. */
import { assert } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { InvalidRequest } from "../../src/errors/GatewayError.ts"
import { joinBytes } from "../../src/message/json/spliceBytes.ts"
import { rewriteRequest, type RewrittenRequest } from "../../src/message/requestMessage.ts"
import { RequestRewriter } from "../../src/message/requestRewriter.ts"
import type { RequestRules } from "../../src/message/requestRules.ts"

/** Sizes of pieces, used in turn. */
export const sizes: Arbitrary.Arbitrary<ReadonlyArray<number>> = Arbitrary.schema(
  Schema.Array(Schema.Literals([1, 1, 2, 3, 5, 8, 13, 40, 0])).check(Schema.isMinLength(1), Schema.isMaxLength(6))
)

export const cut = (bytes: Uint8Array, sizes: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const pieces: Array<Uint8Array> = []
  for (let from = 0, turn = 0; from < bytes.length; turn++) {
    // A turn without a size greater than zero would not end.
    const size = Math.max(sizes[turn % sizes.length] ?? 1, turn % sizes.length === 0 ? 1 : 0)
    // A copy, so that a view of another piece's buffer would show the wrong bytes.
    pieces.push(bytes.slice(from, from + size))
    from += size
  }
  return pieces
}

/** The result of a body in chunks. */
export interface Sent {
  /** The bytes that were forwarded before the end. */
  readonly early: Uint8Array
  readonly outcome: Result.Result<RewrittenRequest, InvalidRequest>
  /** The most that was held at once, in bytes. */
  readonly maxHeld: number
}

export const send = (pieces: Iterable<Uint8Array>, rules: RequestRules): Sent => {
  const rewriter = new RequestRewriter(rules)
  const early: Array<Uint8Array> = []
  let maxHeld = 0
  for (const piece of pieces) {
    const pushed = rewriter.push(piece)
    if (Result.isFailure(pushed)) {
      const { failure } = pushed
      const again = rewriter.push(piece)
      assert.isTrue(Result.isFailure(again) && again.failure === failure)
      const end = rewriter.end()
      assert.isTrue(Result.isFailure(end) && end.failure === failure)
      return { early: joinBytes(early), outcome: Result.fail(pushed.failure), maxHeld }
    }
    assert.isAtMost(pushed.success.length, 1)
    early.push(...pushed.success)
    maxHeld = Math.max(maxHeld, rewriter.heldBytes)
  }
  const outcome = Result.map(rewriter.end(), ({ rest, ...summary }) => ({
    bytes: joinBytes([...early, ...rest]),
    ...summary
  }))
  return { early: joinBytes(early), outcome, maxHeld }
}

/** Asserts that the body comes to the same in pieces as it does whole. */
export const assertPiecesAgree = (bytes: Uint8Array, rules: RequestRules, sizes: ReadonlyArray<number>): void => {
  const whole = rewriteRequest(bytes, rules)
  const { early, outcome } = send(cut(bytes, sizes), rules)
  if (Result.isFailure(whole)) {
    assert.strictEqual(Result.isFailure(outcome) ? outcome.failure.reason : "sent", whole.failure.reason)
  } else {
    assert.deepStrictEqual(outcome, whole)
    assert.isBelow(early.length, whole.success.bytes.length)
  }
  assert.throws(() => JSON.parse(new TextDecoder().decode(early)))
}
