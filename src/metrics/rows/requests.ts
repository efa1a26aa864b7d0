/** Requests, and the decisions about them. */
import type { MetricRow } from "./MetricRow.ts"
import { server } from "./server.ts"

/** In seconds, from a response out of memory to a tool that takes minutes. */
const requestSeconds = [
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  300
] as const

const methods =
  "the JSON-RPC method if MCP defines it, else `other`; `notification`, `response`, `batch`; `unread` if the body was not " +
  "read; `stream` (`GET`), `end` (`DELETE`), `metadata`, `probe`, `preflight`"

/** Requests, and the decisions about them. */
export const requests = {
  "mcp_authorizer.requests": {
    kind: "counter",
    unit: "{request}",
    help: "Requests whose response has ended, by what they asked for and what became of them.",
    labels: {
      server,
      method: methods,
      status: "the status of the response; 499 where the client left before there was one",
      reason: "`none`, or as `reason` or `error` in the log"
    }
  },
  "mcp_authorizer.request.duration": {
    kind: "histogram",
    unit: "s",
    help: "Time from the arrival of a request to the end of its response.",
    labels: { server, method: methods },
    boundaries: requestSeconds
  },
  "mcp_authorizer.upstream.duration": {
    kind: "histogram",
    unit: "s",
    help: "Time from sending a request to the MCP server until the head of its response.",
    labels: { server },
    boundaries: requestSeconds
  },
  "mcp_authorizer.open_streams": {
    kind: "gauge",
    merge: "sum",
    unit: "{stream}",
    help: "Event streams from MCP servers to clients that are open.",
    labels: { server }
  },
  "mcp_authorizer.tool.calls": {
    kind: "counter",
    unit: "{call}",
    help: "Calls of tools, by what was decided about them.",
    labels: {
      server,
      tool: "the name of the tool: those in the settings, and the first 100 that were called and allowed; else `other`",
      decision: "as `decision` in the audit log"
    }
  },
  "mcp_authorizer.policy.errors": {
    kind: "counter",
    unit: "{decision}",
    help: "Conditions of rules that could not be computed, so that the message was denied.",
    labels: { server }
  }
} as const satisfies Readonly<Record<string, MetricRow>>
