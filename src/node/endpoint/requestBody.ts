/** What becomes of the body of a request: it is read, or let go. */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"

/** What has been read of a body: all of it, the beginning of a long one, or nothing of use. */
export type BodyRead =
  | { readonly _tag: "Whole"; readonly bytes: Uint8Array }
  | { readonly _tag: "Begun"; readonly chunks: ReadonlyArray<Uint8Array> }
  | { readonly _tag: "TooLarge" }

// A message up to this length is collected: its length can be told to the MCP server, and most servers do so themselves.
const collectedBytes = 1024 * 1024

/**
 * Reads a body by the chunks as they come: most messages are one.
 *
 * A long one is not collected: its request is left paused where reading can go on. Of one that breaks off nothing is
 * told: its connection is gone, and the answer with it.
 *
 * @param limit bytes
 * @param done called once, or never
 */
export const readBody = (request: IncomingMessage, limit: number, done: (body: BodyRead) => void): void => {
  const most = Number(request.headers["content-length"] ?? 0) > collectedBytes ? 0 : collectedBytes
  const chunks: Array<Uint8Array> = []
  let size = 0
  let finished = false
  // The listeners stay: taking them off costs more than a short body does.
  const finish = (body: BodyRead) => {
    if (finished) return
    finished = true
    done(body)
  }
  request.on("data", (chunk: Uint8Array) => {
    if (finished) return
    chunks.push(chunk)
    size += chunk.length
    if (size > limit) return finish({ _tag: "TooLarge" })
    if (size <= most) return
    request.pause()
    finish({ _tag: "Begun", chunks })
  })
  request.on("end", () => {
    const [first] = chunks
    finish({
      _tag: "Whole",
      bytes: first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks)
    })
  })
}

// What a client may still send of a body that nobody reads, before its connection is ended.
const overlookedBytes = 256 * 1024

// How long it may take to read its answer then, before the connection is cut.
const closeGraceMillis = 500

const end = (socket: Socket): void => {
  if (socket.destroyed) return
  socket.end()
  const timer = setTimeout(() => socket.destroy(), closeGraceMillis)
  socket.once("close", () => clearTimeout(timer))
}

/**
 * Lets go of what has not been read of a body whose request is answered all the same.
 *
 * A little of it is overlooked, so that the connection can go on. Of more, the connection is ended without being reset,
 * which could cost the client its answer.
 */
export const letGo = (request: IncomingMessage): void => {
  if (request.complete || request.destroyed) return
  const { socket } = request
  let size = 0
  request.on("data", (chunk: Uint8Array) => {
    size += chunk.length
    if (size <= overlookedBytes) return
    request.pause()
    end(socket)
  })
  request.resume()
}
