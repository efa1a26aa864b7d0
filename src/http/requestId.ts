import * as Result from "effect/Result"

/** The id of a longer message is not looked up. */
const maxBytes = 64 * 1024

const decoder = new TextDecoder()

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * The id of the one JSON-RPC request in a body, for a response that repeats it. As JSON-RPC requires, it is `null` for
 * a batch and for a notification, and also for an id that cannot be repeated exactly.
 *
 * @see JSON-RPC 2.0, section 5
 */
export const requestIdOf = (body: Uint8Array | undefined): string | number | null => {
  if (body === undefined || body.length > maxBytes) return null
  const message = Result.getOrUndefined(Result.try((): unknown => JSON.parse(decoder.decode(body))))
  const id = isObject(message) ? message["id"] : undefined
  return typeof id === "string" || (typeof id === "number" && Number.isSafeInteger(id)) ? id : null
}
