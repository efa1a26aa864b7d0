import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"

/**
 * Reads a body of which Node's parser has promised the length, by the chunks as they come.
 *
 * Most messages are one chunk: what a stream does around it takes longer than the rest of reading it.
 */
export const readShortBody = (request: HttpServerRequest.HttpServerRequest): Effect.Effect<Uint8Array, "BrokenOff"> =>
  Effect.callback((resume) => {
    const source = NodeHttpServerRequest.toIncomingMessage(request)
    const chunks: Array<Uint8Array> = []
    const onData = (chunk: Uint8Array) => void chunks.push(chunk)
    const onEnd = () => {
      release()
      const [first] = chunks
      resume(Effect.succeed(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks)))
    }
    const onBreak = () => {
      release()
      resume(Effect.fail("BrokenOff"))
    }
    const release = () => {
      source.off("data", onData).off("end", onEnd).off("error", onBreak).off("close", onBreak)
    }
    if (source.destroyed) return resume(Effect.fail("BrokenOff"))
    source.on("data", onData).on("end", onEnd).on("error", onBreak).on("close", onBreak)
    return Effect.sync(release)
  })
