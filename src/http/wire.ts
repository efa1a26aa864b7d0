import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Predicate from "effect/Predicate"

/** What a request said on the wire, before the platform folded repeated fields into one. */
export interface Wire {
  /** The request target as received; origin form unless the client chose another. */
  readonly target: string
  /** The values of all field lines of one name (lower case). */
  readonly values: (name: string) => ReadonlyArray<string>
  /** HTTP/1.1 without a `Host`, which must be refused whether or not the host matters (RFC 9112, section 3.2). */
  readonly lacksHost: boolean
}

const isFieldLines = Predicate.compose(
  Array.isArray,
  (lines: ReadonlyArray<unknown>): lines is ReadonlyArray<string> => lines.every(Predicate.isString)
)

/**
 * Reads the wire form of a request.
 *
 * Node drops a second `Authorization` or `Host` and keeps the first; its own message still holds all lines, which is
 * recognised here by shape, so that embedding the gateway needs no platform layer for it. A Web `Request` has only
 * joined values: there the one joined value is given, and is refused later for what it contains.
 */
export const wire = (request: HttpServerRequest.HttpServerRequest): Wire => {
  const source = request.source
  const lines = "rawHeaders" in source && isFieldLines(source.rawHeaders) ? source.rawHeaders : undefined
  if (lines === undefined) {
    return {
      target: request.url,
      values: (name) => {
        const value = request.headers[name]
        return value === undefined ? [] : [value]
      },
      lacksHost: false
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
    lacksHost: request.headers["host"] === undefined && "httpVersion" in source && source.httpVersion !== "1.0"
  }
}
