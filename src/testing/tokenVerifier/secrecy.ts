/** A token is a secret, a refused one too: it may be good elsewhere. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { inspect } from "node:util"
import * as assert from "../assert.ts"
import type { Verify } from "./verdict.ts"

const everything = (value: unknown): string =>
  inspect(value, { depth: 20, showHidden: true, getters: true, maxStringLength: Infinity, maxArrayLength: Infinity })

/** The token, each of its parts that means something, and what a careless log writes of it. */
const shapes = (token: string): ReadonlyArray<string> => [
  token,
  ...token.split(".").filter((part) => part.length >= 16),
  // A header is the same in many tokens; what follows is of this one alone.
  token.slice(-24),
  encodeURIComponent(token),
  btoa(token).replace(/=+$/, "")
]

/** Verifies, and asserts that neither the outcome nor the log at any level shows the token. */
export const keepsSecret = Effect.fnUntraced(function*(verify: Verify, token: string) {
  const texts: Array<string> = []
  const capture = Layer.merge(
    Logger.layer([Logger.make((entry) => {
      texts.push(`${Logger.formatJson.log(entry)}\n${everything(entry.message)}`)
    })]),
    Layer.succeed(References.MinimumLogLevel, "All")
  )
  const exit = yield* Effect.provide(Effect.exit(verify(token)), capture)
  if (Exit.isFailure(exit)) {
    texts.push(Cause.pretty(exit.cause), everything(exit.cause), String(exit.cause), JSON.stringify(exit))
    for (const reason of exit.cause.reasons) {
      const error: unknown = Cause.isFailReason(reason) ? reason.error : undefined
      texts.push(String(error), JSON.stringify(error) ?? "", everything(error))
    }
  }
  for (const shape of shapes(token)) {
    for (const text of texts) assert.notInclude(text, shape)
  }
})
