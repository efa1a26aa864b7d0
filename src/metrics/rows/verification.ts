/** Tokens, the keys that verify them, and the providers. */
import type { MetricRow } from "./MetricRow.ts"
import { server } from "./server.ts"

/** In seconds, from a signature to a provider that hardly responds. */
const verificationSeconds = [
  0.00025,
  0.0005,
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
  10
] as const

const providerName = "the name of the provider"

const phaseNames = "`empty`, `pending`, `fresh`, `refreshing`, `expired`, `stale`, `unavailable`"

const keySource = "the issuer, or the URL of the keys"

const endpointType = "the type of the provider: `introspection`, `userinfo`, …"

/** Tokens, the keys that verify them, and the providers. */
export const verification = {
  "mcp_authorizer.verification.duration": {
    kind: "histogram",
    unit: "s",
    help: "Time to verify a token whose verdict was not in memory at once, with what the verification waited for.",
    labels: { server, outcome: "`accepted`, `rejected`, `unavailable`" },
    boundaries: verificationSeconds
  },
  "mcp_authorizer.verdict.lookups": {
    kind: "counter",
    unit: "{lookup}",
    help: "Lookups of tokens in the cache of verdicts, by result.",
    labels: { outcome: "`hit`, `miss`" }
  },
  "mcp_authorizer.token.rejections": {
    kind: "counter",
    unit: "{token}",
    help: "Rejected tokens, by reason. InsufficientScope: by their provider; AccessDenied: by a verifier's policy; " +
      "ProviderUnavailable: no verdict.",
    labels: { reason: "as `reason` or `error` in the log" }
  },
  "mcp_authorizer.key.fetches": {
    kind: "counter",
    unit: "{fetch}",
    help: "Fetches of key sets, by outcome.",
    labels: { provider: providerName, outcome: "`success`, `failure`" }
  },
  "mcp_authorizer.key.phases": {
    kind: "counter",
    unit: "{change}",
    help: "How often a key set came into each phase.",
    labels: { provider: providerName, phase: phaseNames }
  },
  "mcp_authorizer.key.stale_serves": {
    kind: "counter",
    unit: "{token}",
    help: "Tokens verified with expired keys, because the provider was down.",
    labels: { provider: providerName }
  },
  "mcp_authorizer.key.age": {
    kind: "gauge",
    merge: "max",
    unit: "s",
    help: "Time since the cached key set was fetched.",
    labels: { provider: providerName, source: keySource }
  },
  "mcp_authorizer.key.overdue": {
    kind: "gauge",
    merge: "max",
    unit: "s",
    help: "Time since the cached key set expired; 0 while it is fresh. After an hour it is not used any more.",
    labels: { provider: providerName, source: keySource }
  },
  "mcp_authorizer.key.failures": {
    kind: "gauge",
    merge: "max",
    unit: "{fetch}",
    help: "Failed fetches of a key set since the last successful one.",
    labels: { provider: providerName, source: keySource }
  },
  "mcp_authorizer.key.phase": {
    kind: "gauge",
    merge: "sum",
    unit: "{process}",
    help: "How many processes have a key set in each phase.",
    labels: { provider: providerName, source: keySource, phase: phaseNames }
  },
  "mcp_authorizer.provider.requests": {
    kind: "counter",
    unit: "{request}",
    help:
      "Requests about opaque tokens to a provider. Rejected: 4xx; paused: not sent, because the provider is down; " +
      "overloaded: not sent, because too many wait; left: the client went before.",
    labels: {
      provider: providerName,
      type: endpointType,
      outcome: "`success`, `rejected`, `failure`, `paused`, `overloaded`, `left`"
    }
  },
  "mcp_authorizer.provider.request.duration": {
    kind: "histogram",
    unit: "s",
    help: "Time of requests about opaque tokens, with the time that they wait for their turn.",
    labels: { provider: providerName, type: endpointType },
    boundaries: verificationSeconds
  }
} as const satisfies Readonly<Record<string, MetricRow>>
