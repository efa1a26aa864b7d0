/** Reads JSON-RPC messages from responses: from a JSON body, or from the events of a stream. Pure. */
import { isJsonObject, type JsonObject, own } from "../remote/JsonObject.ts"
import { isEventStream, type Responded } from "./wire/Reply.ts"

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The data of the complete events of a stream, without events that have no data. */
export const eventsOf = (text: string): ReadonlyArray<string> =>
  text.replace(/^\uFEFF/, "").split(/\r\n\r\n|\n\n|\r\r/).slice(0, -1).flatMap((event) => {
    const data = event.split(/\r\n|\n|\r/).flatMap((line) => /^data(?::[ ]?(.*))?$/.exec(line)?.slice(1, 2) ?? [])
    const joined = data.map((line) => line ?? "").join("\n")
    return joined === "" ? [] : [joined]
  })

export const messagesOf = (reply: Responded): ReadonlyArray<JsonObject> =>
  (isEventStream(reply) ? eventsOf(reply.text) : [reply.text]).flatMap((text) => {
    const value = parse(text)
    return (Array.isArray(value) ? value : [value]).filter(isJsonObject)
  })

const isResponse = (message: JsonObject): boolean => Object.hasOwn(message, "result") || Object.hasOwn(message, "error")

/** The response to the request that was sent; `undefined` if it is missing. */
export const responseOf = (reply: Responded): JsonObject | undefined => {
  const request = parse(reply.request.body ?? "")
  const id = isJsonObject(request) ? own(request, "id") : undefined
  return messagesOf(reply).find((message) => isResponse(message) && own(message, "id") === id)
}

/** Returns whether the part of a stream that was read contains a response, so that reading can end. */
export const hasResponse = (text: string): boolean => eventsOf(text).some((data) => /"(?:result|error)"\s*:/.test(data))

/** The result of a response, `undefined` if it is an error. */
export const resultOf = (reply: Responded): JsonObject | undefined => {
  const response = responseOf(reply)
  const result = response === undefined ? undefined : own(response, "result")
  return isJsonObject(result) ? result : undefined
}

/** The error of a response, even without an id: servers that could not read the request send none. */
export const errorOf = (reply: Responded): { readonly code: unknown; readonly message: unknown } | undefined => {
  for (const message of messagesOf(reply)) {
    const error = own(message, "error")
    if (isJsonObject(error)) return { code: own(error, "code"), message: own(error, "message") }
  }
  return undefined
}
