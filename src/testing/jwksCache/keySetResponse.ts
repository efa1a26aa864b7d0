/** The answers of a provider, in health and in sickness. */
import * as Effect from "effect/Effect"
import type { Health } from "./Command.ts"

type Body = ReadableStream<Uint8Array<ArrayBuffer>>

const encode = (text: string) => new TextEncoder().encode(text)

const space = encode(" ".repeat(65_536))

const oversize = 100 * 1_048_576

/** A body that is made as it is read: the text, and then what `more` does each time that more is wanted. */
const streamed = (
  text: string,
  more: (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => void
): Body => {
  let begun = false
  return new ReadableStream({
    pull: (controller) => {
      if (begun) return more(controller)
      begun = true
      controller.enqueue(encode(text))
    }
  }, { highWaterMark: 0 })
}

/** The text and a lot of space, which JSON ignores. */
const oversized = (text: string, onRead: (bytes: number) => void): Body => {
  let left = oversize
  return streamed(text, (controller) => {
    if (left === 0) return controller.close()
    left -= space.length
    onRead(space.length)
    // A copy: the reader may take the bytes away.
    controller.enqueue(space.slice())
  })
}

interface AnswerOptions {
  /** The key set, and the fields that go with it. */
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  /** Where a redirect leads. */
  readonly elsewhere: string
  /** Nobody waits for a body without an end any more. */
  readonly onLeave: () => void
  /** So much of a body of 100 MiB was taken, beyond the set. */
  readonly onRead: (bytes: number) => void
}

/** The answer of a provider in this state of health; `undefined` if the connection fails before there is one. */
export const respondIn = (
  health: Health,
  { elsewhere, headers, onLeave, onRead, text }: AnswerOptions
): Effect.Effect<Response | undefined> => {
  // An answer anew each time: a body can be read once.
  const withBody = (body: Body | string) => Effect.sync(() => new Response(body, { headers }))
  const cut = text.slice(0, -1)
  switch (health._tag) {
    case "Prompt":
      return withBody(text)
    case "Slow":
      return Effect.delay(withBody(text), health.seconds * 1000)
    case "Status": {
      const { status } = health
      return Effect.succeed(new Response(status === 204 || status === 304 ? null : text, { status, headers }))
    }
    case "Silent":
      return Effect.never
    case "Dripping":
      return withBody(
        new ReadableStream({ start: (controller) => controller.enqueue(encode(cut)), cancel: onLeave })
      )
    case "Refused":
      return Effect.undefined
    case "Broken":
      return withBody(streamed(cut, (controller) => controller.error("broken")))
    case "Nonsense":
      return withBody(health.text)
    case "Oversized":
      return withBody(oversized(text, onRead))
    case "Redirect":
      return Effect.succeed(new Response(null, { status: health.status, headers: { location: elsewhere } }))
  }
}
