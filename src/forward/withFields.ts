/** Fields that are added once it is clear that a request will be sent. Pure. */
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
 * The same request, and its alternatives, with these fields. The client's fields of these names are removed already.
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

/** The same for a request whose message leaves as it comes. */
export const streamWithFields = (prepared: PreparedStream, fields: Fields): PreparedStream =>
  isNone(fields) ? prepared : { ...prepared, request: added(prepared.request, fields) }
