/** The messages of the benchmark: requests, and the responses of a small MCP server. */

const json = (id: number, result: object): string => JSON.stringify({ jsonrpc: "2.0", id, result })

export const toolsListResponse = json(1, {
  tools: [{
    name: "echo",
    description: "Echoes its argument",
    inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] }
  }]
})

/** How many tools the long list has, and how many of them `listedTools` leaves in it. */
export const longListLength = 1_000
export const longListKept = 750

/** The tools that the rules of the benchmark allow. */
export const listedTools = "tool_*"

/** A list as servers with many tools send it: half a megabyte. */
export const longListResponse = json(1, {
  tools: Array.from({ length: longListLength }, (_, index) => ({
    name: `${index % 4 === 0 ? "admin" : "tool"}_${index}`,
    title: `Number ${index}`,
    description: "Does something useful with what it is given, and says what came of it. ".repeat(3),
    inputSchema: {
      type: "object",
      properties: {
        query: { type: "string", description: "What to look for" },
        limit: { type: "integer", minimum: 1, maximum: 100 },
        tags: { type: "array", items: { type: "string" } }
      },
      required: ["query"]
    },
    annotations: { readOnlyHint: true }
  }))
})

export const initializeResponse = json(1, {
  protocolVersion: "2025-11-25",
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: "bench", version: "1.0.0" }
})

const ask = (method: string, params: object): string => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params })

export const toolsListRequest = ask("tools/list", {})

export const toolCallRequest = ask("tools/call", { name: "echo", arguments: { text: "hello" } })

export const initializeRequest = ask("initialize", {
  protocolVersion: "2025-11-25",
  capabilities: { sampling: {} },
  clientInfo: { name: "bench", version: "1.0.0" }
})

export const largeLength = 100 * 2 ** 20

/** A message of `largeLength` bytes, as a client would send a file. */
export const largeRequest = (): string => {
  const empty = ask("tools/call", { name: "store", arguments: { blob: "" } })
  return ask("tools/call", { name: "store", arguments: { blob: "A".repeat(largeLength - empty.length) } })
}

/** The path of a response of `largeLength` bytes, below the MCP path so that all servers forward it. */
export const downloadPath = "/mcp/download"

/** The path that takes messages of any length. */
export const uploadPath = "/mcp/upload"

/** The path of `longListResponse`. */
export const longListPath = "/mcp/long-list"

/** The path of an event stream: `?count=` events, one a second. */
export const eventsPath = "/mcp/events"
