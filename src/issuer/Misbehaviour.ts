/** The ways in which a test issuer can misbehave on command. */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"

/**
 * One way to respond incorrectly. Times are Effect's: under `TestClock` they pass when the test adjusts the clock.
 *
 * - `Respond`: the ordinary response, changed by the given members, after `delay`.
 * - `Redirect`: an empty response with a `Location`; `status` is 302 by default.
 * - `Hang`: accepts the request and never responds.
 * - `Drip`: the ordinary head, then the body one byte after each `interval`.
 * - `Flood`: 200 and a JSON string of `bytes` bytes, without a `Content-Length`; `Infinity` never ends.
 * - `Disconnect`: closes the connection before the response, after its head, or after half of its body.
 */
export type Misbehaviour = Data.TaggedEnum<{
  Respond: {
    readonly status?: number | undefined
    readonly headers?: Readonly<Record<string, string>> | undefined
    readonly body?: string | Uint8Array | undefined
    readonly delay?: Duration.Input | undefined
  }
  Redirect: { readonly location: string; readonly status?: number | undefined }
  Hang: {}
  Drip: { readonly interval: Duration.Input }
  Flood: { readonly bytes: number }
  Disconnect: { readonly after: "Request" | "Head" | "HalfBody" }
}>

/** Constructors: `Misbehaviour.Respond({ status: 503 })`, `Misbehaviour.Hang()`. */
export const Misbehaviour = Data.taggedEnum<Misbehaviour>()
