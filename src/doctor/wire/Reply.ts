/** The doctor's requests, and their replies. Pure. */
import * as Result from "effect/Result"
import { show } from "../../errors/show.ts"
import { hintOf } from "../../remote/failureCause.ts"
import { isJsonObject, type JsonObject, parseJsonObject } from "../../remote/JsonObject.ts"

export interface ToSend {
  readonly method: "DELETE" | "GET" | "HEAD" | "OPTIONS" | "POST"
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
  /** Whether to send the operator's token, if there is one and the URL is that of the MCP server. */
  readonly withToken?: boolean | undefined
  /** A token to send in place of the operator's. */
  readonly authorization?: string | undefined
  /** Returns whether enough of the body was read. */
  readonly enough?: ((text: string) => boolean) | undefined
  /** How long to wait for the head. Default: 10 seconds. */
  readonly headMillis?: number | undefined
  /** How long to read the body. Default: 10 seconds. */
  readonly bodyMillis?: number | undefined
}

/** A piece of a body, and when it arrived. */
export interface Chunk {
  /** Milliseconds after the request was sent. */
  readonly at: number
  readonly bytes: number
}

export interface Responded {
  readonly _tag: "Responded"
  readonly request: ToSend
  readonly status: number
  /** Names in lower case; a repeated field is joined with commas. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as text, up to the limit. */
  readonly text: string
  /**
   * How the body ended: `complete`; `enough` was read; `cut` at the size limit; `slow` for the time limit; `broken` if
   * the connection was lost.
   */
  readonly end: "broken" | "complete" | "cut" | "enough" | "slow"
  readonly chunks: ReadonlyArray<Chunk>
  /** When the head arrived, by the clock of this machine, in milliseconds since 1970. */
  readonly receivedAt: number
  /** Milliseconds from sending the request to the head of the response. */
  readonly headMillis: number
  /** Milliseconds from sending the request to the end of the body. */
  readonly totalMillis: number
}

/** There was no response. */
export interface NoReply {
  readonly _tag: "NoReply"
  readonly request: ToSend
  /** `Spent`: the examination has reached its limit of requests. */
  readonly kind: "InvalidUrl" | "Spent" | "Timeout" | "Unreachable"
  readonly code?: string | undefined
  readonly way?: string | undefined
  readonly totalMillis: number
}

export type Reply = NoReply | Responded

/** A URL for people: without credentials, query and fragment, printable. */
export const shownUrl = (url: string): string => {
  if (!URL.canParse(url)) return show(url)
  const { host, pathname, protocol } = new URL(url)
  return show(`${protocol}//${host}${pathname}`).slice(1, -1)
}

/** The request in one line: `GET https://…`. */
export const requestLine = ({ request: { method, url } }: Pick<Reply, "request">): string =>
  `${method} ${shownUrl(url)}`

const mediaType = /^[a-z0-9!#$&^_.+-]{1,64}\/[a-z0-9!#$&^_.+-]{1,64}(?=\s*(?:;|$))/

/** The media type of a response, in lower case and without parameters. */
export const mediaTypeOf = ({ headers }: Responded): string | undefined =>
  mediaType.exec(headers["content-type"]?.trim().toLowerCase() ?? "")?.[0]

export const isHtml = (reply: Responded): boolean =>
  mediaTypeOf(reply) === "text/html" || /^\s*<(?:!doctype|html)/i.test(reply.text)

export const isEventStream = (reply: Responded): boolean => mediaTypeOf(reply) === "text/event-stream"

export const isRedirect = ({ status }: Responded): boolean =>
  status === 301 || status === 302 || status === 303 || status === 307 || status === 308

/** Where a redirect leads; `undefined` if its target is missing or unusable. */
export const targetOf = ({ headers, request }: Responded): string | undefined => {
  const location = headers["location"]
  if (location === undefined || !URL.canParse(location, request.url)) return undefined
  const target = new URL(location, request.url)
  return target.protocol === "https:" || target.protocol === "http:" ? target.href : undefined
}

/** The code of a system error, and what it means. */
const shownCode = (code: string | undefined): string => {
  const hint = code === undefined ? undefined : hintOf(code)
  if (code === undefined) return ""
  return hint === undefined ? ` (${code})` : ` (${code}: ${hint})`
}

/** The response in a few words: `200 application/json`, `302 to https://…`, `no response (ECONNREFUSED)`. */
export const inShort = (reply: Reply): string => {
  if (reply._tag === "NoReply") {
    switch (reply.kind) {
      case "InvalidUrl":
        return "not a URL that can be requested"
      case "Spent":
        return "not requested: too many requests"
      case "Timeout":
        return "no response in time"
      case "Unreachable":
        return `no response${shownCode(reply.code)}${reply.way === undefined ? "" : ` ${reply.way}`}`
    }
  }
  if (isRedirect(reply)) {
    const target = targetOf(reply)
    return target === undefined ? `${reply.status} without a usable Location` : `${reply.status} to ${shownUrl(target)}`
  }
  const what = isHtml(reply) ? "an HTML page" : mediaTypeOf(reply)
  return what === undefined ? String(reply.status) : `${reply.status}, ${what}`
}

/** A body that is a JSON object; `undefined` for others. Of duplicate members, the last counts, as in most clients. */
export const jsonOf = (reply: Responded): JsonObject | undefined => {
  const strict = parseJsonObject(reply.text)
  if (Result.isSuccess(strict)) return strict.success
  if (strict.failure !== "DuplicateMember") return undefined
  const lenient: unknown = JSON.parse(reply.text)
  return isJsonObject(lenient) ? lenient : undefined
}
