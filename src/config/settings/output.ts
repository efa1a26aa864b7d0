/** Settings for what the gateway writes: to clients, to the log, to its store. */
import { logNames } from "../../log/logFields.ts"
import { auditSubjects, errorStyles, logLevels, stepUps } from "../GatewaySettings.ts"
import { auditArguments, auditLog } from "../kinds/auditing.ts"
import { traceField } from "../kinds/http.ts"
import { boolean, choice } from "../kinds/kinds.ts"
import { none, type Setting } from "./Setting.ts"

export const output = {
  MCP_ERROR_STYLE: {
    kind: choice(errorStyles),
    default: "oauth",
    doc: "The dialect of error responses.",
    perServer: true
  },
  MCP_STEP_UP: {
    kind: choice(stepUps),
    default: "http",
    doc: "How a tool call without a token or the required scopes is rejected: `http` with 401 or 403, `tool_result` " +
      "with a result that has the challenge in `_meta`, for hosts that look for it there; listed tools then show " +
      "their `securitySchemes`.",
    perServer: true
  },
  MCP_TRACE_HEADER: {
    kind: traceField,
    aliases: ["AUTH_TRACE_HEADER"],
    default: "X-Trace-Id",
    doc: "The field with the trace id of a request and its response."
  },
  MCP_STORE_VERDICTS: {
    kind: boolean,
    default: "true",
    doc: "Keep verdicts about tokens in the store, so that other replicas need not verify them again: about opaque " +
      "tokens in `MCP_STORE_URL`, on Spin about all tokens in the key-value store."
  },
  MCP_LOG_FORMAT: { kind: choice(["json", "pretty"]), default: "json", doc: "The form of log lines." },
  MCP_LOG_NAMES: {
    kind: choice(logNames),
    default: "default",
    doc: "The field names of JSON lines: the gateway's own, those of the Elastic Common Schema, or those of " +
      "OpenTelemetry."
  },
  MCP_LOG_LEVEL: { kind: choice(logLevels), default: "info", doc: "The lowest level of log lines that are written." },
  MCP_AUDIT_LOG: {
    kind: auditLog,
    otherwise: "no audit log",
    doc: "Where to write one line of JSON for each decision about a message: `stdout`, or a file, which is reopened " +
      "on SIGHUP."
  },
  MCP_AUDIT_SUBJECTS: {
    kind: choice(auditSubjects),
    default: "plain",
    doc:
      "How audit entries name subjects and clients: `plain`, or `hmac`, a pseudonym that only the holder of `MCP_SESSION_KEY` " +
      "can compute."
  },
  MCP_AUDIT_ARGUMENTS: {
    kind: auditArguments,
    absent: none,
    otherwise: "none",
    doc: "Arguments of tools that audit entries show, as `tool.argument`; further names select a part of an argument."
  }
} as const satisfies Record<string, Setting>
