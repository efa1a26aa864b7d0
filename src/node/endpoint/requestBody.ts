/** What becomes of the body of a request: it is read, or let go. */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { type Overloaded, PayloadTooLarge } from "../../errors/GatewayError.ts"
import type { ByteClaim } from "../../fairness/ByteBudget.ts"
import { noMemory, patienceSeconds, uncountedBytes } from "../../http/bodyMemory.ts"

/** What has been read of a body: all of it, the beginning of a long one, or nothing of use. */
export type BodyRead =
  | { readonly _tag: "Whole"; readonly bytes: Uint8Array }
  | { readonly _tag: "Begun"; readonly chunks: ReadonlyArray<Uint8Array> }
  | { readonly _tag: "Refused"; readonly error: PayloadTooLarge | Overloaded }

// A message up to this length is collected: its length can be told to the MCP server, and most servers do so themselves.
const collectedBytes = 1024 * 1024

// Of a longer one so much is held: what may wait for the MCP server, and what has just come.
export const streamedBytes = 320 * 1024

/** Requests for whose bodies there is no memory: they are not read any more. */
const dropped = new WeakSet<IncomingMessage>()

/** Forgets what has come of a body, and reads no more of it. */
const drop = (request: IncomingMessage): void => {
  const { socket } = request
  dropped.add(request)
  // Node's messages resume their connection when they are read, and when they are over.
  socket.resume = () => socket
  socket.pause()
  request.read()
}

/**
 * Reads a body by the chunks as they come: most messages are one.
 *
 * A long one is not collected: its request is left paused where reading can go on. Of one that breaks off nothing is
 * told: its connection is gone, and the answer with it. One that is not short is read once there is memory for all of it.
 *
 * @param limit bytes
 * @param claim what the message holds of the budget, made when it is first needed; whoever holds the message releases it
 * @param done called once, or never
 */
export const readBody = (
  request: IncomingMessage,
  limit: number,
  claim: () => ByteClaim,
  done: (body: BodyRead) => void
): void => {
  const header = request.headers["content-length"]
  const length = header === undefined ? Number.POSITIVE_INFINITY : Number(header)
  const most = header !== undefined && length > collectedBytes ? 0 : collectedBytes
  let chunks: Array<Uint8Array> = []
  let size = 0
  let finished = false
  let isCounted = false
  let isDropped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  // The listeners stay: taking them off costs more than a short body does.
  const finish = (body: BodyRead) => {
    if (finished) return
    finished = true
    chunks = []
    done(body)
  }

  const refuse = (error: PayloadTooLarge | Overloaded) => finish({ _tag: "Refused", error })

  /** Goes on once there is memory for what the body may come to; it is not read meanwhile. */
  const whenThereIsRoom = (goOn: () => void): void => {
    let isWaiting = false
    let isGranted = false
    isCounted = true
    const granted = () => {
      isGranted = true
      if (finished || !isWaiting) return
      clearTimeout(timer)
      goOn()
      request.resume()
    }
    // Holds none of it meanwhile. At once, clients that come back at once would cost more than they do while they wait.
    const refused = () => {
      isDropped = true
      chunks = []
      drop(request)
    }
    claim().take(most === 0 ? streamedBytes : Math.min(length, most), granted, refused)
    if (isGranted) return goOn()
    isWaiting = true
    request.pause()
    timer = setTimeout(() => {
      if (!isDropped) drop(request)
      refuse(noMemory())
    }, patienceSeconds * 1000)
    request.once("close", () => clearTimeout(timer))
  }

  const read = (): void => {
    request.on("data", (chunk: Uint8Array) => {
      if (finished || isDropped) return
      chunks.push(chunk)
      size += chunk.length
      if (size > limit) return refuse(new PayloadTooLarge({ limit }))
      if (size > most) {
        request.pause()
        return finish({ _tag: "Begun", chunks })
      }
      if (!isCounted && size > uncountedBytes) whenThereIsRoom(() => {})
    })
    request.on("end", () => {
      const [first] = chunks
      finish({
        _tag: "Whole",
        bytes: first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks)
      })
    })
  }

  if (header !== undefined && length > uncountedBytes) whenThereIsRoom(read)
  else read()
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
  // Behind the answer that is about to be written.
  if (dropped.has(request)) return void setImmediate(end, socket)
  let size = 0
  request.on("data", (chunk: Uint8Array) => {
    size += chunk.length
    if (size <= overlookedBytes) return
    request.pause()
    end(socket)
  })
  request.resume()
}
