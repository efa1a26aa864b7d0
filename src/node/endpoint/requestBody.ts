/** Reads or discards the body of a request. */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import type { Overloaded } from "../../errors/GatewayError.ts"
import type { ByteClaim } from "../../fairness/ByteBudget.ts"
import { memoryWaitSeconds, noMemory, uncountedBytes } from "../../http/bodyMemory.ts"

/** The listener of a body. At most one of these is called, once. */
export interface BodyListener {
  readonly whole: (bytes: Uint8Array) => void
  /** The beginning of a long body that need not be collected. The request is paused. */
  readonly begun: (chunks: ReadonlyArray<Uint8Array>) => void
  readonly tooLarge: () => void
  readonly rejected: (error: Overloaded) => void
}

export interface BodyReading {
  /** In bytes. */
  readonly limit: number
  /** Whether the body must be collected, regardless of its length. */
  readonly collects: boolean
  /** The maximum number of bytes to claim. */
  readonly max: number
  /** Returns the claim of this message, which is made on first use. The exchange releases it. */
  readonly claim: () => ByteClaim
}

// Shorter messages are collected, so that the MCP server gets their length. Most servers would collect them anyway.
const collectedBytes = 1024 * 1024

// How much of a longer message is buffered: bytes that wait for the MCP server, and bytes that have just arrived.
export const streamedBytes = 320 * 1024

/** Requests whose bodies are no longer read, because there was no memory for them. */
const dropped = new WeakSet<IncomingMessage>()

/** Discards the bytes of a body, and stops reading it. */
const drop = (request: IncomingMessage): void => {
  const { socket } = request
  dropped.add(request)
  // Node's messages would resume their connection when they are read, and when they end.
  socket.resume = () => socket
  socket.pause()
  // What the last segment holds of the body may still come, and is not kept.
  request.resume()
}

/**
 * Reads a body in chunks as they arrive. Most messages are one chunk.
 *
 * A long body is not collected unless that is required: its request is left paused, so that it can be streamed. If the
 * connection closes before the end, the listener is not called, because no response can be sent either. A long body
 * that is collected is read only once there is memory for all of it.
 */
export const readBody = (
  request: IncomingMessage,
  { claim, collects, limit, max: maxClaimed }: BodyReading,
  listener: BodyListener
): void => {
  const header = request.headers["content-length"]
  const length = header === undefined ? Number.POSITIVE_INFINITY : Number(header)
  const collected = collects ? limit : collectedBytes
  const max = header !== undefined && length > collected ? 0 : collected
  let chunks: Array<Uint8Array> = []
  let size = 0
  let finished = false
  let isCounted = false
  let isDropped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  // The listeners are not removed, because that costs more than reading a short body.
  const finish = (): ReadonlyArray<Uint8Array> => {
    const read = chunks
    finished = true
    chunks = []
    return read
  }

  /** Continues once there is memory for the largest possible body. Until then, the body is not read. */
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
    // The memory is released now. The response is delayed, because clients that retry at once would cost more than
    // clients that wait.
    const rejected = () => {
      isDropped = true
      chunks = []
      drop(request)
    }
    claim().take(max === 0 ? streamedBytes : Math.min(length, max, maxClaimed), granted, rejected)
    if (isGranted) return goOn()
    isWaiting = true
    request.pause()
    timer = setTimeout(() => {
      if (finished) return
      finish()
      if (!isDropped) drop(request)
      listener.rejected(noMemory())
    }, memoryWaitSeconds * 1000)
    request.once("close", () => clearTimeout(timer))
  }

  const read = (): void => {
    request.on("data", (chunk: Uint8Array) => {
      if (finished || isDropped) return
      chunks.push(chunk)
      size += chunk.length
      if (size > limit) {
        finish()
        return listener.tooLarge()
      }
      if (size > max) {
        request.pause()
        return listener.begun(finish())
      }
      if (!isCounted && size > uncountedBytes) whenThereIsRoom(() => {})
    })
    request.on("end", () => {
      if (finished || isDropped) return
      const read = finish()
      const [first] = read
      listener.whole(first !== undefined && read.length === 1 ? first : Buffer.concat(read))
    })
  }

  if (header !== undefined && length > uncountedBytes) whenThereIsRoom(read)
  else read()
}

// How many bytes of an unread body a client may still send before its connection is closed.
const ignoredBytes = 256 * 1024

// How much time the client then has to read its response, before the connection is destroyed.
const closeGraceMillis = 500

const end = (socket: Socket): void => {
  if (socket.destroyed) return
  socket.end()
  const timer = setTimeout(() => socket.destroy(), closeGraceMillis)
  socket.once("close", () => clearTimeout(timer))
}

/**
 * Discards the unread part of a body whose request already has its response.
 *
 * If little of it is left, it is read and ignored, so that the connection can be kept. Otherwise the connection is
 * ended without a reset, because a reset could cost the client its response.
 */
export const discardBody = (request: IncomingMessage): void => {
  if (request.complete || request.destroyed) return
  const { socket } = request
  // Deferred, so that the response is written first.
  if (dropped.has(request)) return void setImmediate(end, socket)
  let size = 0
  request.on("data", (chunk: Uint8Array) => {
    size += chunk.length
    if (size <= ignoredBytes) return
    request.pause()
    end(socket)
  })
  request.resume()
}
