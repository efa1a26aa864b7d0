/** How much of everything there may be. */
import { integer } from "../kinds/kinds.ts"
import { type Setting } from "./Setting.ts"

export const limits = {
  MCP_MAX_TOKEN_BYTES: {
    kind: integer(256, 65_536),
    default: "16384",
    // Takes effect only at start: Node fixes the limit for a head when the server is created.
    atStart: true,
    doc: "The longest token that is accepted."
  },
  MCP_MAX_BODY_BYTES: {
    kind: integer(1024, 1_073_741_824),
    default: "4194304",
    doc: "The longest JSON-RPC message that is accepted.",
    perServer: true
  },
  MCP_MAX_LIST_BYTES: {
    kind: integer(1024, 1_073_741_824),
    default: "16777216",
    doc:
      "The longest response with a list (of tools, prompts, resources or templates) that rules are applied to; a longer " +
      "one gets 502.",
    perServer: true
  },
  MCP_MAX_CLIENT_CONNECTIONS: {
    kind: integer(16, 1_048_576),
    default: "32768",
    doc:
      "How many connections of clients may be open in a process, and fewer where the system allows fewer open files; " +
      "a further one closes an idle connection of the address that has the most."
  },
  MCP_MAX_WAITING: {
    kind: integer(1, 65_536),
    default: "2048",
    doc: "How many requests may wait for the MCP server's response at a time; further requests get 502 immediately. " +
      "One caller can use half of it, several callers get equal shares.",
    perServer: true
  },
  MCP_MAX_UPSTREAM_CONNECTIONS: {
    kind: integer(1, 65_536),
    default: "1024",
    doc: "How many connections to the MCP server may be used at a time, event streams not counted; further requests " +
      "wait for their turn. One caller can use half of it.",
    perServer: true
  },
  MCP_MAX_STREAMS: {
    kind: integer(1, 1_048_576),
    default: "32768",
    doc: "How many event streams may be open at a time, each with its own connection to the MCP server; further ones " +
      "get 502. One caller can use half of it.",
    perServer: true
  },
  MCP_MAX_BUFFERED_BYTES: {
    kind: integer(4_194_304, 17_179_869_184),
    default: "67108864",
    doc: "How many bytes of longer messages may be held in memory at a time until they are forwarded; beyond that, " +
      "clients have to wait, and get 503 after 5 seconds. One caller can use half of it.",
    perServer: true
  }
} as const satisfies Record<string, Setting>
