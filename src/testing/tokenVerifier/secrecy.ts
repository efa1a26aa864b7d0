/** A token is a secret, even a rejected one: it may be valid elsewhere. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as assert from "../assert.ts"
import { failureTexts, makeRecords } from "../records.ts"
import type { Verify } from "./verdict.ts"

/** How much of a token nothing may show, in characters. Shorter texts occur by coincidence. */
const windowLength = 12

/** Any part of a text, by its length. */
const windows = (text: string): ReadonlyArray<string> =>
  Array.from({ length: Math.max(0, text.length - windowLength + 1) }, (_, at) => text.slice(at, at + windowLength))

/**
 * The parts of a token that belong to it alone: of a JWT the payload and the signature, because a header is the same in
 * many tokens; otherwise all but what may be a prefix of its kind.
 */
const ownParts = (token: string): ReadonlyArray<string> => {
  const [, ...parts] = token.split(".")
  return parts.length === 0 ? [token.slice(8)] : parts
}

/** The token, parts of it, and the forms in which careless code may write it. */
const shapes = (token: string): ReadonlyArray<string> => [
  token,
  ...ownParts(token).flatMap(windows),
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
export const keepsSecret = Effect.fnUntraced(function*(
  verify: Verify,
  token: string,
  secrets: ReadonlyArray<string> = []
) {
  const { record, texts } = makeRecords()
  const exit = yield* record(Effect.exit(Effect.withSpan(verify(token), "a request")))
  const shown = [...texts(), ...(Exit.isFailure(exit) ? [...failureTexts(exit.cause), JSON.stringify(exit)] : [])]
  const all = shown.join("\n")
  for (const shape of [...shapes(token), ...Object.values(secretBearer), ...secrets]) assert.notInclude(all, shape)
})
