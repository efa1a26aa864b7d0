import * as Predicate from "effect/Predicate"
import type { RequestHead } from "./RequestHead.ts"

/** What a request said on the wire, before the platform folded repeated fields into one. */
export interface Wire {
  /** The request target as received; origin form unless the client chose another. */
  readonly target: string
  /** The values of all field lines of one name (lower case). */
  readonly values: (name: string) => ReadonlyArray<string>
  /** The version that an HTTP/1 message claims; `undefined` for a Web `Request` and for HTTP/2. */
  readonly version: string | undefined
}

// One line tells: a platform that has lines has nothing else in them.
const isFieldLines = (lines: unknown): lines is ReadonlyArray<string> =>
  Array.isArray(lines) && (lines.length === 0 || Predicate.isString(lines[0]))

const authority = (url: string): string | undefined => URL.canParse(url) ? new URL(url).host : undefined

/**
 * Reads the wire form of a request.
 *
 * Node drops a second `Authorization` or `Host` and keeps the first; its own message still holds all lines, which is
 * recognised here by shape, so that embedding the gateway needs no platform layer for it. A Web `Request` has only
 * joined values: there the one joined value is given, and is refused later for what it contains; one that was made by
 * a program has no `Host`, and its URL says the same.
 */
export const wire = (request: RequestHead): Wire => {
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
        const line = lines[i] ?? ""
        // The length first: this is done several times for each request, over all of its fields.
        if (line.length === name.length && line.toLowerCase() === name) values.push(lines[i + 1] ?? "")
      }
      return values
    },
    version: "httpVersion" in source && !("stream" in source) && typeof source.httpVersion === "string"
      ? source.httpVersion
      : undefined
  }
}
