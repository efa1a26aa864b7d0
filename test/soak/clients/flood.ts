/** Clients that take more than their share, one kind a process. Everything is bounded in count and in time. */
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { setPriority } from "node:os"
import { argv } from "node:process"
import { toolsListRequest } from "../../bench/peers/mcpResponses.ts"
import { nowMillis } from "./now.ts"

/** The kinds of floods. */
export type FloodKind =
  | "unknown-key"
  | "no-token"
  | "slow-calls"
  | "invented-tokens"
  | "broken-tokens"
  | "unfinished-bodies"
  | "leaving"
  | "slow-heads"
  | "slow-bodies"
  | "silent-readers"
  | "many-fields"

/** The input of the flooding client. */
export interface FloodArguments {
  readonly kind: FloodKind
  readonly origin: string
  readonly seconds: number
  /** A good token, for the kinds that need one. */
  readonly tokensFile: string
  /** A token of the right issuer with a key id that does not exist. */
  readonly unknownKeyToken: string
}

/** The results of the flood. */
export interface FloodResult {
  /** Connections that were opened. */
  readonly opened: number
  /** Connections that the gateway closed. */
  readonly cut: number
  /** How long those lived, in seconds. */
  readonly cutMedian: number
  readonly cutLatest: number
}

// The parent process wrote it.
const options = JSON.parse(argv[2] ?? "") as FloodArguments
const { port } = new URL(options.origin)
const [goodToken = ""] = readFileSync(options.tokensFile, "utf8").split("\n")
const until = nowMillis() + options.seconds * 1000
const open = new Set<Socket>()
/** Connections that their client has closed itself. */
const left = new WeakSet<Socket>()
const lives: Array<number> = []
let opened = 0
let stopped = false

const post = (token: string | undefined, path = "/mcp"): string =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
  (token === undefined ? "" : `Authorization: Bearer ${token}\r\n`) +
  `Content-Length: ${Buffer.byteLength(toolsListRequest)}\r\n\r\n${toolsListRequest}`

const dial = (onClose: () => void, from?: string): Socket => {
  const socket = connect({
    host: "127.0.0.1",
    port: Number(port),
    ...(from === undefined ? {} : { localAddress: from })
  })
  const started = nowMillis()
  opened++
  open.add(socket)
  socket.on("error", () => {})
  socket.on("close", () => {
    open.delete(socket)
    if (stopped) return
    if (!left.has(socket)) lives.push((nowMillis() - started) / 1000)
    onClose()
  })
  socket.resume()
  return socket
}

/** Closes a connection after a while. */
const leave = (socket: Socket, millis: number): void => {
  setTimeout(() => {
    left.add(socket)
    socket.destroy()
  }, millis)
}

/** Writes the same requests over and over, as fast as the gateway takes them, over so many connections. */
const pipeline = (connections: number, text: string, batch: number): void => {
  const block = text.repeat(batch)
  const begin = (): void => {
    const socket = dial(() => setTimeout(begin, 100))
    const write = (): void => {
      if (stopped || socket.destroyed) return
      if (socket.write(block)) setImmediate(write)
      else socket.once("drain", write)
    }
    socket.once("connect", write)
  }
  for (let index = 0; index < connections; index++) begin()
}

/** One request after the other on this number of connections. */
const repeat = (connections: number, makeText: () => string): void => {
  const begin = (): void => {
    const socket = dial(() => setTimeout(begin, 100))
    const write = (): void => {
      if (!stopped && !socket.destroyed) socket.write(makeText())
    }
    socket.once("connect", write)
    socket.on("data", write)
  }
  for (let index = 0; index < connections; index++) begin()
}

const kinds: Readonly<Record<FloodKind, () => void>> = {
  "unknown-key": () => pipeline(1, post(options.unknownKeyToken), 200),
  "no-token": () => pipeline(1, post(undefined), 200),
  // The default number of requests that may wait at a time.
  "slow-calls": () => pipeline(1, post(goodToken, "/mcp/slow?millis=20000"), 2048),
  "invented-tokens": () => repeat(400, () => post(randomBytes(24).toString("hex"))),
  "broken-tokens": () => {
    const timer = setInterval(() => {
      if (stopped) return clearInterval(timer)
      const socket = dial(() => {})
      socket.write(post(`broken-${randomBytes(12).toString("hex")}`))
      leave(socket, 2000)
    }, 200)
  },
  "unfinished-bodies": () => {
    const head = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
      `Authorization: Bearer ${goodToken}\r\nContent-Length: 1000001\r\n\r\n`
    const body = Buffer.alloc(1_000_000, " ")
    const begin = (): void => {
      const socket = dial(() => setTimeout(begin, 1000))
      socket.write(head)
      socket.write(body)
    }
    for (let index = 0; index < 1000; index++) setTimeout(begin, index * 2)
  },
  leaving: () => {
    const timer = setInterval(() => {
      if (stopped) return clearInterval(timer)
      const socket = dial(() => {})
      socket.write(post(goodToken, "/mcp/slow?millis=2000"))
      leave(socket, 50)
    }, 5)
  },
  "slow-heads": () => {
    const begin = (): void => {
      const socket = dial(() => setTimeout(begin, 100))
      socket.write("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
      const timer = setInterval(() => {
        if (socket.destroyed || stopped) clearInterval(timer)
        else socket.write("a")
      }, 2000)
    }
    // In one tick, as many as there may be descriptors for.
    for (let index = 0; index < 8000; index++) begin()
  },
  "slow-bodies": () => {
    // Short enough to need none of the memory for bodies, whose shortage would end them earlier.
    const head = `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
      `Authorization: Bearer ${goodToken}\r\nContent-Length: 10000\r\n\r\n{`
    const begin = (): void => {
      const socket = dial(() => setTimeout(begin, 100))
      socket.write(head)
      const timer = setInterval(() => {
        if (socket.destroyed || stopped) clearInterval(timer)
        else socket.write(" ")
      }, 1000)
    }
    for (let index = 0; index < 1000; index++) setTimeout(begin, index * 2)
  },
  "silent-readers": () => {
    const begin = (): void => {
      const socket = dial(() => setTimeout(begin, 100))
      // Does not read, and so does not notice its end either before it reads again.
      socket.pause()
      socket.write(post(goodToken, "/mcp/long?bytes=8388608"))
      const looking = setInterval(() => {
        if (socket.destroyed || stopped) clearInterval(looking)
        // A write to a connection that was cut ends it.
        else socket.write(" ")
      }, 1000)
    }
    // Spread out, because moving what fills the buffers of all of them is work of its own.
    for (let index = 0; index < 300; index++) setTimeout(begin, index * 50)
  },
  "many-fields": () => {
    const fields = Array.from({ length: 1500 }, (_, index) => `a${index}:b\r\n`).join("")
    repeat(8, () => post(goodToken).replace("\r\n\r\n", `\r\n${fields}\r\n`))
  }
}

// The good client is on another machine in reality: it must not wait for this one's processor time.
setPriority(19)
kinds[options.kind]()

const ending = setInterval(() => {
  if (nowMillis() < until) return
  clearInterval(ending)
  stopped = true
  for (const socket of open) socket.destroy()
  const sorted = lives.toSorted((a, b) => a - b)
  const result: FloodResult = {
    opened,
    cut: sorted.length,
    cutMedian: sorted[Math.floor(sorted.length / 2)] ?? NaN,
    cutLatest: sorted.at(-1) ?? NaN
  }
  process.stdout.write(JSON.stringify(result))
  // Timers of clients that wait to come back are not waited for.
  setTimeout(() => process.exit(0), 100)
}, 50)
