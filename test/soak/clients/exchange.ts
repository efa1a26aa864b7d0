/** One request of a client, from its head to the end of the response. */
import { Agent, type IncomingHttpHeaders, request } from "node:http"

/** The request. */
export interface Exchange {
  readonly token: string | undefined
  readonly body?: string
  /** `/mcp` unless given. */
  readonly path?: string
  /** `POST` unless given. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Leave after so many milliseconds. */
  readonly leaveAfter?: number
  /** Leave as soon as this has come. */
  readonly leaveAt?: string
  /** Announce more of the body than is sent. */
  readonly unfinished?: boolean
}

/** The response. */
export interface Seen {
  /** The status, `left`, or what broke the exchange off. */
  readonly outcome: string
  readonly text: string
  readonly headers: IncomingHttpHeaders
}

/** Connections that are kept between requests, and closed by `agent.destroy()`. */
export const agent = new Agent({ keepAlive: true, maxSockets: 256 })

const timeoutMillis = 60_000

/** Sends a request to the gateway; never rejects. */
export const exchange = (origin: string, options: Exchange): Promise<Seen> =>
  new Promise((resolve) => {
    const { body, headers, leaveAfter, leaveAt, method = "POST", path = "/mcp", token, unfinished } = options
    let received: IncomingHttpHeaders = {}
    let text = ""
    const settle = (outcome: string) => resolve({ outcome, text, headers: received })
    const leave = () => {
      settle("left")
      asking.destroy()
    }
    const length = Buffer.byteLength(body ?? "") + (unfinished === true ? 1000 : 0)
    const asking = request(`${origin}${path}`, {
      agent: leaveAfter === undefined && leaveAt === undefined ? agent : false,
      method,
      headers: {
        accept: "application/json, text/event-stream",
        ...(body === undefined ? {} : { "content-type": "application/json", "content-length": length }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers
      }
    }, (response) => {
      received = response.headers
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
        if (leaveAt !== undefined && text.includes(leaveAt)) leave()
      })
      response.on("end", () => settle(String(response.statusCode)))
      response.on("error", (error) => settle(error.message))
      response.on("close", () => settle("broken off"))
    })
    asking.setTimeout(timeoutMillis, () => asking.destroy(new Error("no response within 60 s")))
    asking.on("error", (error) => settle(error.message))
    if (unfinished === true) asking.write(body)
    else asking.end(body)
    if (leaveAfter !== undefined) setTimeout(leave, leaveAfter)
  })
