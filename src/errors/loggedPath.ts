/** Paths in the form that the log shows. Pure. */

// `mcp`, `v2`, `Tools`
const word = /^(?:[a-z]{1,24}|[A-Z]{1,24}|[A-Z][a-z]{1,23})?[0-9]{0,2}$/

const longestSegment = 48
const maxDigits = 3

/**
 * Returns whether a segment consists of a few words, such as `oauth-protected-resource` or `.well-known`, perhaps with
 * a small number. A longer segment, or one with more digits or an encoded character, could be a token, an id, or part
 * of one.
 */
const isPlain = (segment: string): boolean =>
  segment.length <= longestSegment && segment.split(/[._-]/).every((part) => word.test(part)) &&
  segment.replace(/[^0-9]/g, "").length <= maxDigits

const maxSegments = 12

const show = (target: string): string => {
  const path = /^[^?#;]*/.exec(target)?.[0] ?? ""
  const segments = path.split("/", maxSegments + 1)
  const shown = segments.slice(0, maxSegments).map((segment) => isPlain(segment) ? segment : "…")
  const isCut = segments.length > maxSegments || ![undefined, "?"].includes(target[path.length])
  return shown.join("/") + (isCut ? "…" : "")
}

let lastPlain: string | undefined

/**
 * Returns the path of a URL or of a request target, shortened and cleaned for the log: without a query, and with `…` in
 * place of each segment that could contain a secret.
 *
 * A client may have put a token into the path of a request for an unknown path.
 *
 * The last path that is shown unchanged is remembered, because nearly all requests have the same path.
 */
export const loggedPath = (target: string): string => {
  if (target === lastPlain) return target
  const shown = show(target)
  if (shown === target) lastPlain = target
  return shown
}
