/** Parses HTTP/1.1 responses from the bytes of a connection, strictly by RFC 9112. */

interface RawResponse {
  readonly status: number
  readonly statusLine: string
  /** As received, in order, without line ends. */
  readonly headerLines: ReadonlyArray<string>
  /** Every value of a header; `name` in any case. */
  readonly headers: (name: string) => ReadonlyArray<string>
  /** Without the chunk framing. */
  readonly body: Uint8Array
  readonly text: string
}

/** The complete responses, and the remaining bytes. */
export interface RawResponses {
  readonly responses: ReadonlyArray<RawResponse>
  readonly rest: Uint8Array
}

const CRLF = "\r\n"

/** The end of a body and its content; `undefined` while it is incomplete. */
interface Body {
  readonly bytes: Uint8Array
  readonly end: number
}

const chunked = (bytes: Buffer, from: number): Body | undefined => {
  const parts: Array<Uint8Array> = []
  let at = from
  for (;;) {
    const lineEnd = bytes.indexOf(CRLF, at)
    if (lineEnd === -1) return undefined
    const size = /^([0-9a-f]+)(;.*)?$/i.exec(bytes.toString("latin1", at, lineEnd))?.[1]
    if (size === undefined) throw new Error(`not a chunk size: ${bytes.toString("latin1", at, lineEnd)}`)
    const length = Number.parseInt(size, 16)
    at = lineEnd + 2
    if (length === 0) {
      // Trailer fields, then an empty line.
      const end = bytes.indexOf(CRLF, at) === at ? at : bytes.indexOf(CRLF + CRLF, at) + 2
      return end < at || bytes.length < end + 2 ? undefined : { bytes: Buffer.concat(parts), end: end + 2 }
    }
    if (bytes.length < at + length + 2) return undefined
    parts.push(bytes.subarray(at, at + length))
    at += length + 2
  }
}

const bodyOf = (
  response: Pick<RawResponse, "status" | "headers">,
  bytes: Buffer,
  from: number,
  options: { readonly bodiless: boolean; readonly closed: boolean }
): Body | undefined => {
  if (options.bodiless || response.status < 200 || response.status === 204 || response.status === 304) {
    return { bytes: bytes.subarray(from, from), end: from }
  }
  if (response.headers("transfer-encoding").length > 0) return chunked(bytes, from)
  const length = response.headers("content-length")[0]
  if (length === undefined) return options.closed ? { bytes: bytes.subarray(from), end: bytes.length } : undefined
  const end = from + Number(length)
  return bytes.length < end ? undefined : { bytes: bytes.subarray(from, end), end }
}

const headOf = (text: string): Omit<RawResponse, "body" | "text"> => {
  const [statusLine = "", ...headerLines] = text.split(CRLF)
  const status = /^HTTP\/1\.[01] (\d{3})( .*)?$/.exec(statusLine)?.[1]
  if (status === undefined) throw new Error(`not a status line: ${statusLine}`)
  return {
    status: Number(status),
    statusLine,
    headerLines,
    headers: (name) =>
      headerLines.flatMap((line) => {
        const colon = line.indexOf(":")
        return line.slice(0, colon).toLowerCase() === name.toLowerCase() ? [line.slice(colon + 1).trim()] : []
      })
  }
}

/**
 * Parses all complete responses.
 *
 * `closed`: the peer has closed the connection, which ends a body without a length. `bodiless`: the responses are to
 * `HEAD` requests. Throws on bytes that are not an HTTP response.
 */
export const readResponses = (
  received: Uint8Array,
  options: { readonly closed: boolean; readonly bodiless?: boolean }
): RawResponses => {
  const bytes = Buffer.from(received)
  const responses: Array<RawResponse> = []
  let at = 0
  for (;;) {
    const headEnd = bytes.indexOf(CRLF + CRLF, at)
    if (headEnd === -1) break
    const head = headOf(bytes.toString("latin1", at, headEnd))
    const body = bodyOf(head, bytes, headEnd + 4, { bodiless: options.bodiless ?? false, closed: options.closed })
    if (body === undefined) break
    responses.push({ ...head, body: body.bytes, text: Buffer.from(body.bytes).toString("utf8") })
    at = body.end
  }
  return { responses, rest: bytes.subarray(at) }
}
