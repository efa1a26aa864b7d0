/** What becomes of the body of a request: it is read, or discarded. */
import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import type { Overloaded } from "../../errors/GatewayError.ts"
import type { ByteClaim } from "../../fairness/ByteBudget.ts"
import { noMemory, patienceSeconds, uncountedBytes } from "../../http/bodyMemory.ts"

/** What hears of a body; one of these is called once, or none. */
export interface BodyListener {
  readonly whole: (bytes: Uint8Array) => void
  /** The beginning of a long one, where it need not be collected; the request is paused. */
  readonly begun: (chunks: ReadonlyArray<Uint8Array>) => void
  readonly tooLarge: () => void
  readonly rejected: (error: Overloaded) => void
}

/** How a body is read. */
export interface BodyReading {
  /** Bytes. */
  readonly limit: number
  /** Whether it has to be collected, however long it is. */
  readonly collects: boolean
  /** More than that need not be claimed. */
  readonly most: number
  /** What the message holds of the memory, made when it is first needed; the exchange releases it. */
  readonly claim: () => ByteClaim
}

// A message up to this length is collected: its length can be told to the MCP server, and most servers do so themselves.
const collectedBytes = 1024 * 1024

// Of a longer one so much is held: what may wait for the MCP server, and what has just arrived.
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
 * Reads a body by the chunks as they arrive: most messages are one.
 *
 * A long one is not collected unless it has to be: its request is left paused where reading can go on. If it breaks off,
 * nobody is told: its connection is gone, and the response with it. One that is not short is read once there is memory for
 * all of it.
 */
export const readBody = (
  request: IncomingMessage,
  { claim, collects, limit, most: mostClaimed }: BodyReading,
  listener: BodyListener
): void => {
  const header = request.headers["content-length"]
  const length = header === undefined ? Number.POSITIVE_INFINITY : Number(header)
  const collected = collects ? limit : collectedBytes
  const most = header !== undefined && length > collected ? 0 : collected
  let chunks: Array<Uint8Array> = []
  let size = 0
  let finished = false
  let isCounted = false
  let isDropped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  // The listeners stay: taking them off costs more than a short body does.
  const finish = (): ReadonlyArray<Uint8Array> => {
    const read = chunks
    finished = true
    chunks = []
    return read
  }

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
    claim().take(most === 0 ? streamedBytes : Math.min(length, most, mostClaimed), granted, refused)
    if (isGranted) return goOn()
    isWaiting = true
    request.pause()
    timer = setTimeout(() => {
      if (finished) return
      finish()
      if (!isDropped) drop(request)
      listener.rejected(noMemory())
    }, patienceSeconds * 1000)
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
      if (size > most) {
        request.pause()
        return listener.begun(finish())
      }
      if (!isCounted && size > uncountedBytes) whenThereIsRoom(() => {})
    })
    request.on("end", () => {
      if (finished) return
      const read = finish()
      const [first] = read
      listener.whole(first !== undefined && read.length === 1 ? first : Buffer.concat(read))
    })
  }

  if (header !== undefined && length > uncountedBytes) whenThereIsRoom(read)
  else read()
}

// What a client may still send of a body that nobody reads, before its connection is ended.
const ignoredBytes = 256 * 1024

// How long it may take to read its response then, before the connection is cut.
const closeGraceMillis = 500

const end = (socket: Socket): void => {
  if (socket.destroyed) return
  socket.end()
  const timer = setTimeout(() => socket.destroy(), closeGraceMillis)
  socket.once("close", () => clearTimeout(timer))
}

/**
 * Discards what has not been read of a body whose request gets its response all the same.
 *
 * A little of it is ignored, so that the connection can go on. If there is more, the connection is ended without being
 * reset, which could cost the client its response.
 */
export const discardBody = (request: IncomingMessage): void => {
  if (request.complete || request.destroyed) return
  const { socket } = request
  // Behind the response that is about to be written.
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
