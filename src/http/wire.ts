import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Predicate from "effect/Predicate"

/** What a request said on the wire, before the platform folded repeated fields into one. */
export interface Wire {
  /** The request target as received; origin form unless the client chose another. */
  readonly target: string
  /** The values of all field lines of one name (lower case). */
  readonly values: (name: string) => ReadonlyArray<string>
  /** The version that an HTTP/1 message claims; `undefined` for a Web `Request` and for HTTP/2. */
  readonly version: string | undefined
}

const isFieldLines = Predicate.compose(
  Array.isArray,
  (lines: ReadonlyArray<unknown>): lines is ReadonlyArray<string> => lines.every(Predicate.isString)
)

const authority = (url: string): string | undefined => URL.canParse(url) ? new URL(url).host : undefined

/**
 * Reads the wire form of a request.
 *
 * Node drops a second `Authorization` or `Host` and keeps the first; its own message still holds all lines, which is
 * recognised here by shape, so that embedding the gateway needs no platform layer for it. A Web `Request` has only
 * joined values: there the one joined value is given, and is refused later for what it contains; one that was made by
 * a program has no `Host`, and its URL says the same.
 */
export const wire = (request: HttpServerRequest.HttpServerRequest): Wire => {
  const source = request.source
  const lines = "rawHeaders" in source && isFieldLines(source.rawHeaders) ? source.rawHeaders : undefined
  if (lines === undefined) {
    return {
      target: request.url,
      values: (name) => {
        const value = request.headers[name] ?? (name === "host" ? authority(request.originalUrl) : undefined)
        return value === undefined ? [] : [value]
      },
      version: undefined
    }
  }
  return {
    target: "url" in source && typeof source.url === "string" ? source.url : request.url,
    values: (name) => {
      const values: Array<string> = []
      for (let i = 0; i + 1 < lines.length; i += 2) {
        if (lines[i]?.toLowerCase() === name) values.push(lines[i + 1] ?? "")
      }
      return values
    },
    version: "httpVersion" in source && !("stream" in source) && typeof source.httpVersion === "string"
      ? source.httpVersion
      : undefined
  }
}
