/** Settings of rate limits, and of the store that counts. */
import { storeFailures } from "../GatewaySettings.ts"
import { choice, secret } from "../kinds/kinds.ts"
import { rateLimits } from "../kinds/rateLimits.ts"
import { storeKeyPrefix, storeUrl } from "../kinds/storeUrl.ts"
import { millis } from "../kinds/times.ts"
import { none, type Setting } from "./Setting.ts"

export const store = {
  MCP_RATE_LIMITS: {
    perServer: true,
    kind: rateLimits,
    absent: none,
    otherwise: "none",
    doc: "How often each subject, client, address, server or tool may send messages, and how many wrong tokens an " +
      "address may send; further requests get 429."
  },
  MCP_STORE_URL: {
    kind: storeUrl,
    otherwise: "each process has its own memory",
    doc: "The Redis or Valkey server that replicas and workers share: `redis://` or `rediss://`. They share rate " +
      "limits in it and, with `MCP_SESSION_KEY`, verdicts about opaque tokens and the keys of providers."
  },
  MCP_STORE_PASSWORD: { kind: secret, secret: true, doc: "The password of the store." },
  MCP_STORE_KEY_PREFIX: {
    kind: storeKeyPrefix,
    default: "mcp-authorizer:",
    doc: "The prefix of all keys in the store; gateways with the same prefix share their entries."
  },
  MCP_STORE_TIMEOUT_MILLIS: {
    kind: millis(5, 5_000),
    default: "100",
    doc: "How long a request waits for the store, in milliseconds."
  },
  MCP_STORE_FAILURE: {
    kind: choice(storeFailures),
    default: "open",
    doc: "What happens to a request that the store cannot count: it passes (`open`), gets 503 (`closed`), or is " +
      "counted in this process alone (`local`)."
  }
} as const satisfies Record<string, Setting>
