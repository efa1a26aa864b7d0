/** A token is a secret, even a rejected one: it may be valid elsewhere. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as assert from "../assert.ts"
import { failureTexts, makeRecords } from "../records.ts"
import type { Verify } from "./verdict.ts"

/** The token, each of its meaningful parts, and the forms in which careless code may write it. */
const shapes = (token: string): ReadonlyArray<string> => [
  token,
  ...token.split(".").filter((part) => part.length >= 16),
  // A header is the same in many tokens; the rest belongs to this token only.
  token.slice(-24),
  encodeURIComponent(token),
  btoa(token).replace(/=+$/, "")
]

/** The bearer of a token, with texts that do not occur by coincidence. */
export const secretBearer = {
  subject: "subject-7f3a9c51e0",
  email: "email-7f3a9c51e0@example.com",
  name: "Name 7f3a9c51e0"
}

/**
 * Verifies a token, and asserts that neither the result, nor a log entry of any level, nor a span shows the token or its
 * bearer.
 */
export const keepsSecret = Effect.fnUntraced(function*(verify: Verify, token: string) {
  const { record, texts } = makeRecords()
  const exit = yield* record(Effect.exit(Effect.withSpan(verify(token), "a request")))
  const shown = [...texts(), ...(Exit.isFailure(exit) ? [...failureTexts(exit.cause), JSON.stringify(exit)] : [])]
  for (const shape of [...shapes(token), ...Object.values(secretBearer)]) {
    for (const text of shown) assert.notInclude(text, shape)
  }
})
