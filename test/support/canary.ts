/** Captures everything that is logged, so that a test can show that it contains no secret. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { inspect } from "node:util"

/**
 * The log of everything that runs with this layer, all levels.
 *
 * An entry is its JSON text, followed by everything that another format could show (JSON drops causes of errors, and
 * maps; the pretty format does not).
 *
 * Provide it to the layers under test, not only to the test: a server logs with the services it was built with.
 */
export class LogCapture extends Context.Service<LogCapture, {
  readonly entries: () => ReadonlyArray<string>
  readonly clear: Effect.Effect<void>
}>()("mcp-authorizer/test/support/canary/LogCapture") {
  static readonly layer: Layer.Layer<LogCapture> = Layer.unwrap(Effect.sync(() => {
    const entries: Array<string> = []
    return Layer.mergeAll(
      Layer.succeed(LogCapture, {
        entries: () => [...entries],
        clear: Effect.sync(() => {
          entries.length = 0
        })
      }),
      Logger.layer([Logger.make((entry) => {
        const everything = inspect(entry.message, { depth: 20, maxStringLength: Infinity, maxArrayLength: Infinity })
        entries.push(`${Logger.formatJson.log(entry)}\n${everything}`)
      })]),
      Layer.succeed(References.MinimumLogLevel, "All")
    )
  }))
}

/**
 * The forms in which a secret could leak: unchanged, encoded, and, for a token of several parts, each part that is long
 * enough to be meaningful.
 */
const shapes = (secret: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(secret, "utf8")
  const parts = secret.split(".").filter((part) => part.length >= 16)
  return Array.from(
    new Set([
      secret,
      ...parts,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      bytes.toString("base64").replace(/=+$/, ""),
      bytes.toString("base64url"),
      bytes.toString("hex")
    ])
  )
}

/** The captured texts that contain the secret, a part of it or an encoding of it. */
export const leaks = (texts: ReadonlyArray<string>, secret: string): ReadonlyArray<string> =>
  texts.filter((text) => shapes(secret).some((shape) => text.includes(shape)))
