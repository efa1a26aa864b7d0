/** Adds fields to prepared requests, once it is clear that they will be sent. Pure. */
import type { UpstreamRequest } from "./GatewayClient.ts"
import type { Prepared, PreparedStream } from "./prepare.ts"

type Fields = Readonly<Record<string, string>>

const isNone = (fields: Fields): boolean => {
  for (const _ in fields) return false
  return true
}

const added = (request: UpstreamRequest, fields: Fields): UpstreamRequest => ({
  ...request,
  headers: { ...request.headers, ...fields }
})

/**
 * Adds fields to a prepared request and its alternatives. The client's own fields with these names are already removed.
 */
export const withFields = (prepared: Prepared, fields: Fields): Prepared => {
  if (isNone(fields)) return prepared
  const { addition, request, respelled } = prepared
  return {
    ...prepared,
    request: added(request, fields),
    addition: addition && { ...addition, without: () => added(addition.without(), fields) },
    respelled: (head) => {
      const again = respelled(head)
      return again && added(again, fields)
    }
  }
}

/** Adds fields to a request whose message is forwarded while it arrives. */
export const streamWithFields = (prepared: PreparedStream, fields: Fields): PreparedStream =>
  isNone(fields) ? prepared : { ...prepared, request: added(prepared.request, fields) }
