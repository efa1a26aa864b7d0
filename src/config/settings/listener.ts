/** Settings about the address to listen on, and the public URL. */
import { endpointPath } from "../kinds/http.ts"
import { boolean, integer } from "../kinds/kinds.ts"
import { host } from "../kinds/network.ts"
import { seconds } from "../kinds/times.ts"
import { publicUrl } from "../kinds/urls.ts"
import { workers } from "../kinds/workers.ts"
import { type Setting } from "./Setting.ts"

export const listener = {
  MCP_PUBLIC_URL: {
    kind: publicUrl,
    otherwise: "from each request",
    doc: "The URL that clients use for the gateway, without the MCP path.",
    perServer: true
  },
  MCP_PATH: {
    kind: endpointPath,
    default: "/mcp",
    doc: "The path that is protected and forwarded, with everything below it.",
    perServer: true
  },
  HOST: { kind: host, default: "127.0.0.1", atStart: true, doc: "The address to listen on." },
  PORT: {
    kind: integer(0, 65_535),
    default: "3000",
    atStart: true,
    doc: "The port to listen on; 0 lets the system choose."
  },
  MCP_CONFIG_WATCH: {
    kind: boolean,
    default: "false",
    atStart: true,
    doc: "Read the configuration again whenever one of its files has changed, as after SIGHUP."
  },
  MCP_WORKERS: {
    kind: workers,
    atStart: true,
    default: "1",
    doc: "How many processes serve the port together; `auto`: one for each available core."
  },
  MCP_CLIENT_HEAD_TIMEOUT: {
    kind: seconds(1, 3600),
    property: "clientHeadMillis",
    default: "10",
    doc: "How long the fields of a request may take to arrive, in seconds."
  },
  MCP_CLIENT_BODY_TIMEOUT: {
    kind: seconds(1, 86_400),
    property: "clientBodyMillis",
    default: "60",
    doc: "How long a request may take to arrive completely, in seconds."
  },
  MCP_CLIENT_IDLE_TIMEOUT: {
    kind: seconds(1, 3600),
    property: "clientIdleMillis",
    default: "75",
    doc:
      "How long an idle connection of a client is kept, in seconds; choose more than the load balancer in front keeps it."
  },
  MCP_CLIENT_MIN_RATE: {
    kind: integer(0, 1_048_576),
    default: "128",
    doc: "How many bytes a second a client must send of a body, and read of a response, on average over 10 seconds " +
      "(60 for event streams); a slower client is cut off. `0`: no minimum."
  },
  MCP_SHUTDOWN_DELAY: {
    kind: seconds(0, 3600),
    property: "shutdownDelayMillis",
    default: "0",
    doc:
      "How long the gateway keeps serving after SIGTERM while `/readyz` is 503, in seconds, so that load balancers " +
      "send requests elsewhere."
  },
  MCP_SHUTDOWN_TIMEOUT: {
    kind: seconds(0, 3600),
    property: "shutdownTimeoutMillis",
    default: "10",
    doc: "How long open responses may take to end after SIGTERM, in seconds."
  }
} as const satisfies Record<string, Setting>
