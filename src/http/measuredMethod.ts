/** The operation of a request as a metric label with few values. Pure. */
import { clientMethods } from "../message/clientMethods.ts"
import type { Exchange } from "./Exchange.ts"

const labelOf = (method: string): string => {
  if (clientMethods.has(method)) return method
  return method.startsWith("notifications/") ? "notification" : "other"
}

const ofMessage = ({ measured, operations }: Exchange): string => {
  if (operations !== undefined) {
    const [operation] = operations
    if (operation === undefined) return "response"
    return operations.length === 1 || operation.method === "subscriptions/listen" ? labelOf(operation.method) : "batch"
  }
  if (measured === undefined) return "unread"
  if (measured.isBatch) return "batch"
  return measured.method === undefined ? "response" : labelOf(measured.method)
}

/** The value of the label `method`: the JSON-RPC method if MCP defines it, or the name of the gateway's other route. */
export const measuredMethod = (exchange: Exchange): string => {
  const { request: { method }, route } = exchange
  if (method === "OPTIONS") return "preflight"
  if (route === undefined) return "unread"
  if (route.row.isProbe === true) return "probe"
  if (route.row.access === "public") return route.row.of === "server" ? "metadata" : "other"
  switch (method) {
    case "GET":
    case "HEAD":
      return "stream"
    case "DELETE":
      return "end"
    case "POST":
      return ofMessage(exchange)
    default:
      return "other"
  }
}
