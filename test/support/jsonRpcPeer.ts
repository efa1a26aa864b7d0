/** The responses of a small MCP server without sessions, as text. */

type Json = { readonly [member: string]: unknown }

const result = (method: unknown, params: Json): unknown => {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params["protocolVersion"] ?? "2025-11-25",
        capabilities: { tools: {} },
        serverInfo: { name: "recording-upstream", version: "1.0.0" }
      }
    case "tools/list":
      return {
        tools: [{
          name: "echo",
          description: "Gives its arguments back",
          inputSchema: { type: "object", properties: { message: { type: "string" } } }
        }]
      }
    case "tools/call":
      return { content: [{ type: "text", text: JSON.stringify(params["arguments"] ?? {}) }] }
    case "ping":
      return {}
    default:
      return undefined
  }
}

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const respondToOne = (message: unknown): Json | undefined => {
  if (!isJson(message) || typeof message["method"] !== "string") {
    return { jsonrpc: "2.0", id: null, error: { code: -32600, message: "Invalid Request" } }
  }
  if (!("id" in message)) return undefined
  const { id, method, params } = message
  const response = result(method, isJson(params) ? params : {})
  return response === undefined
    ? { jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } }
    : { jsonrpc: "2.0", id, result: response }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Responds to a message or a batch; `undefined` if there is no response (notifications only). */
export const respondToJsonRpc = (text: string): string | undefined => {
  const message = parse(text)
  if (message === undefined) {
    return JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32700, message: "Parse error" } })
  }
  if (!Array.isArray(message)) {
    const response = respondToOne(message)
    return response === undefined ? undefined : JSON.stringify(response)
  }
  const responses = message.map(respondToOne).filter((response) => response !== undefined)
  return responses.length === 0 ? undefined : JSON.stringify(responses)
}
