/** One question to the MCP server, and whether its answer can be handed on as it is. */
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import { isBodiless, isShort } from "../forward/answerLength.ts"

/** A request that is on its way. */
export interface Sent {
  /** Rejects where there is no answer, or none in time. */
  readonly response: Promise<Response>
  /** As `fetch`, but gives what this request has brought to the first who asks the same; others go to the host. */
  readonly replay: typeof globalThis.fetch
  /** As `replay` for an answer that did not come to its end, for this reason. */
  readonly failing: (reason: unknown) => typeof globalThis.fetch
}

/** The same, but rejects after so long a time, with the code by which `fetch` says so elsewhere. */
export const inTime = <A>(answer: Promise<A>, millis: number): Promise<A> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })), millis)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

/** Sends a request; the answer must begin within `millis`. */
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
    // The engine takes bytes of any buffer; the type excludes shared memory.
    body: body === undefined ? null : new Uint8Array(body)
  })
  const response = inTime(question, millis)
  const giving = (answer: () => Promise<Response>): typeof globalThis.fetch => {
    let given = false
    return (input, init) => {
      if (given || String(input) !== url) return fetch(input, init)
      given = true
      return answer()
    }
  }
  return {
    response,
    replay: giving(() => response),
    failing: (reason) => giving(() => Promise.reject(reason))
  }
}

/** The fields of an answer by their names in lower case. */
export const fieldsOf = (headers: Headers): Record<string, string> => {
  const fields: Record<string, string> = {}
  for (const [name, value] of headers) fields[name.toLowerCase()] = value
  return fields
}

/** Says whether an answer is short, whole, and without fields that do not fit into one line. */
export const isPlain = (status: number, headers: Readonly<Record<string, string>>): boolean =>
  status >= 200 && status <= 599 && status !== 205 && !isBodiless("POST", status) && isShort(headers) &&
  headers["set-cookie"] === undefined &&
  ["", "identity"].includes(headers["content-encoding"]?.trim().toLowerCase() ?? "")

/** The whole body of a request; `undefined` where it breaks off. */
export const collected = (request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> =>
  request.arrayBuffer().then((buffer) => new Uint8Array(buffer), () => undefined)
