/** The methods that MCP defines for clients, up to 2026-07-28. Pure. */

/** Methods of requests that may be sent again, because they only read or may be repeated. */
export const repeatableMethods = [
  "completion/complete",
  "initialize",
  "logging/setLevel",
  "ping",
  "prompts/get",
  "prompts/list",
  "resources/list",
  "resources/read",
  "resources/subscribe",
  "resources/templates/list",
  "resources/unsubscribe",
  "server/discover",
  "tasks/get",
  "tasks/list",
  "tasks/result",
  "tools/list"
] as const

export const clientMethods: ReadonlySet<string> = new Set([
  ...repeatableMethods,
  "roots/list",
  "subscriptions/listen",
  "tasks/cancel",
  "tasks/update",
  "tools/call"
])
