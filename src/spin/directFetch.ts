/** A request to the MCP server, and whether its response can be forwarded unchanged. */
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import { isBodiless, isShort } from "../forward/responseLength.ts"

/** A request that was sent. */
export interface Sent {
  /** Rejects if there is no response, or if it takes too long. */
  readonly response: Promise<Response>
  /**
   * Like `fetch`, but returns the response of this request to the first caller that repeats it. Others go to the host.
   */
  readonly replay: typeof globalThis.fetch
  /** Like `replay`, for a response that failed with this reason before its end. */
  readonly failing: (reason: unknown) => typeof globalThis.fetch
}

/**
 * Returns a promise with the same result, which rejects after this time, with the code that `fetch` uses on other
 * platforms.
 */
export const inTime = <A>(response: Promise<A>, millis: number): Promise<A> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error("no response in time"), { code: "ETIMEDOUT" })), millis)
  })
  return Promise.race([response, late]).finally(() => clearTimeout(timer))
}

/** Sends a request. The response must begin within `millis`. */
export const send = (
  fetch: typeof globalThis.fetch,
  { headers, method, url }: HttpClientRequest.HttpClientRequest,
  body: Uint8Array | undefined,
  millis: number
): Sent => {
  const { "content-length": _, ...fields } = headers
  const question = fetch(url, {
    method,
    headers: fields,
    redirect: "manual",
    // The engine accepts bytes of any buffer; the type excludes shared memory.
    body: body === undefined ? null : new Uint8Array(body)
  })
  const response = inTime(question, millis)
  const giving = (respond: () => Promise<Response>): typeof globalThis.fetch => {
    let given = false
    return (input, init) => {
      if (given || String(input) !== url) return fetch(input, init)
      given = true
      return respond()
    }
  }
  return {
    response,
    replay: giving(() => response),
    failing: (reason) => giving(() => Promise.reject(reason))
  }
}

/** Returns the fields of a response by their names in lower case. */
export const fieldsOf = (headers: Headers): Record<string, string> => {
  const fields: Record<string, string> = {}
  for (const [name, value] of headers) fields[name.toLowerCase()] = value
  return fields
}

/** Returns whether a response is short, complete, and without fields that would need several lines. */
export const isPlain = (status: number, headers: Readonly<Record<string, string>>): boolean =>
  status >= 200 && status <= 599 && status !== 205 && !isBodiless("POST", status) && isShort(headers) &&
  headers["set-cookie"] === undefined &&
  ["", "identity"].includes(headers["content-encoding"]?.trim().toLowerCase() ?? "")

/** Reads the whole body of a request; `undefined` if it fails. */
export const collected = (request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> =>
  request.arrayBuffer().then((buffer) => new Uint8Array(buffer), () => undefined)
