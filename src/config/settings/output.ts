/** What the gateway says: to clients, to the log, to its store. */
import { errorStyles, logLevels } from "../GatewaySettings.ts"
import { traceField } from "../kinds/http.ts"
import { boolean, choice } from "../kinds/kinds.ts"
import { type Setting } from "./Setting.ts"

export const output = {
  MCP_ERROR_STYLE: { kind: choice(errorStyles), default: "oauth", doc: "The dialect of error answers." },
  MCP_TRACE_HEADER: {
    kind: traceField,
    aliases: ["AUTH_TRACE_HEADER"],
    default: "X-Trace-Id",
    doc: "The field with the trace id of a request and its answer."
  },
  MCP_STORE_VERDICTS: {
    kind: boolean,
    default: "true",
    doc:
      "On Spin, keep in the key-value store what was found about tokens, so that no other instance need find it again."
  },
  MCP_LOG_FORMAT: { kind: choice(["json", "pretty"]), default: "json", doc: "The form of log lines." },
  MCP_LOG_LEVEL: { kind: choice(logLevels), default: "info", doc: "The least important log lines that are written." }
} as const satisfies Record<string, Setting>
