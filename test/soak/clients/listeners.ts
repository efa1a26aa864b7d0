/**
 * Many clients at once that do little: idle ones that hold a connection, and listeners that read an event stream once they
 * are told to begin.
 */
import { readFileSync } from "node:fs"
import { connect } from "node:net"
import { argv } from "node:process"

/** The input of the client. */
export interface ListenersArguments {
  readonly origin: string
  readonly tokensFile: string
  /** Connections on which one request got its response. */
  readonly idle: number
  /** Event streams, each of so many events, one a second. */
  readonly streams: number
  readonly events: number
}

/** The results of the clients. */
export interface ListenersResult {
  /** Idle connections that were still open when all streams had begun. */
  readonly stillOpen: number
  /** Streams that began with a 200. */
  readonly begun: number
  /** Events that came. */
  readonly delivered: number
  /** Streams that ended in good order. */
  readonly ended: number
}

// The parent process wrote it.
const { events, idle, origin, streams, tokensFile } = JSON.parse(argv[2] ?? "") as ListenersArguments
const tokens = readFileSync(tokensFile, "utf8").trim().split("\n")
const { port } = new URL(origin)
/** Idle connections that are open. */
let resting = 0
const seen = { stillOpen: 0, begun: 0, delivered: 0, ended: 0 }

/** Over the loopback network's addresses: one address has too few ports for all. */
const address = (index: number): string => `127.0.0.${2 + index % 8}`

const rest = (index: number): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: Number(port), localAddress: address(index) })
    socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    resting++
    socket.once("data", () => resolve())
    socket.on("error", () => resolve())
    socket.on("close", () => {
      resting--
      resolve()
    })
  })

interface Listening {
  /** Settles when the response has begun, or will not. */
  readonly begun: Promise<void>
  readonly ended: Promise<void>
}

const listen = (index: number): Listening => {
  const socket = connect({ host: "127.0.0.1", port: Number(port), localAddress: address(index) })
  const token = tokens[index % tokens.length] ?? ""
  socket.write(
    `GET /mcp/events?count=${events}&millis=1000 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n` +
      `Accept: text/event-stream\r\nAuthorization: Bearer ${token}\r\n\r\n`
  )
  let text = ""
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk
  })
  socket.on("error", () => {})
  const begun = new Promise<void>((resolve) => {
    socket.once("data", () => resolve())
    socket.once("close", () => resolve())
  })
  const ended = new Promise<void>((resolve) => {
    socket.on("close", () => {
      if (text.startsWith("HTTP/1.1 200")) seen.begun++
      seen.delivered += text.split("notifications/message").length - 1
      if (text.endsWith("0\r\n\r\n")) seen.ended++
      resolve()
    })
  })
  return { begun, ended }
}

/** Begins `count` of them, a few hundred at a time. */
const spread = async <A>(count: number, begin: (index: number) => A): Promise<ReadonlyArray<A>> => {
  const begun: Array<A> = []
  for (let index = 0; index < count; index++) {
    begun.push(begin(index))
    if (index % 200 === 199) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return begun
}

await Promise.all(await spread(idle, rest))
process.stdout.write("idle\n")
// The idle clients are measured first.
await new Promise((resolve) => process.stdin.once("data", resolve))
const listening = await spread(streams, listen)
await Promise.all(listening.map(({ begun }) => begun))
seen.stillOpen = resting
process.stdout.write("listening\n")
await Promise.all(listening.map(({ ended }) => ended))
process.stdout.write(`${JSON.stringify(seen)}\n`, () => process.exit(0))
