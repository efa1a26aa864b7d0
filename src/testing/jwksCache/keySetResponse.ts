/** The responses of a provider, healthy or failing. */
import * as Effect from "effect/Effect"
import type { Health } from "./Command.ts"

type Body = ReadableStream<Uint8Array<ArrayBuffer>>

const encode = (text: string) => new TextEncoder().encode(text)

const space = encode(" ".repeat(65_536))

const oversize = 100 * 1_048_576

/** A body that is produced as it is read: the text, and then the result of `more` for each further read. */
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

/** The text and a large amount of white space, which JSON ignores. */
const oversized = (text: string, onRead: (bytes: number) => void): Body => {
  let left = oversize
  return streamed(text, (controller) => {
    if (left === 0) return controller.close()
    left -= space.length
    onRead(space.length)
    // A copy, because the reader may detach the buffer.
    controller.enqueue(space.slice())
  })
}

interface ResponseOptions {
  /** The key set, and its fields. */
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  /** The target of redirects. */
  readonly elsewhere: string
  /** Called when the reader of an endless body has left. */
  readonly onLeave: () => void
  /** Called with the number of bytes that were read of a body of 100 MiB, beyond the set. */
  readonly onRead: (bytes: number) => void
}

/** Returns the response of a provider in this state; `undefined` if the connection fails before a response. */
export const respondIn = (
  health: Health,
  { elsewhere, headers, onLeave, onRead, text }: ResponseOptions
): Effect.Effect<Response | undefined> => {
  // A new response each time, because a body can be read only once.
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
    case "ConnectionRefused":
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
