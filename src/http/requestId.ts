import * as Result from "effect/Result"

/** Longer messages are not read again for the sake of their id. */
const maxBytes = 64 * 1024

const decoder = new TextDecoder()

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * The id of the one JSON-RPC request in a body, for a response that names it; `null`, as JSON-RPC has it, for a batch, a
 * notification, and an id that would not be the same again.
 *
 * @see JSON-RPC 2.0, section 5
 */
export const requestIdOf = (body: Uint8Array | undefined): string | number | null => {
  if (body === undefined || body.length > maxBytes) return null
  const message = Result.getOrUndefined(Result.try((): unknown => JSON.parse(decoder.decode(body))))
  const id = isObject(message) ? message["id"] : undefined
  return typeof id === "string" || (typeof id === "number" && Number.isSafeInteger(id)) ? id : null
}
