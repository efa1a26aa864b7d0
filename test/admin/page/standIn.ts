/** A status and decisions to look at: several servers and providers with an ordinary hour, and with trouble. */
import * as DateTime from "effect/DateTime"
import { type Activity, idleProvider, idleServer, type ServerActivity } from "../../../src/admin/activity/Activity.ts"
import { binOf } from "../../../src/admin/activity/durations.ts"
import { History, slotCount, slotMillis } from "../../../src/admin/activity/History.ts"
import type { EffectiveSetting, KeysStatus, ProviderStatus, Status } from "../../../src/admin/page/Status.ts"
import type { AuditEntry } from "../../../src/audit/AuditEntry.ts"

/** 2026-11-30T14:30:00Z */
export const now = 1_796_049_000_000

const minutes = 60_000

/** Numbers that look like chance and are always the same. */
const makeChance = (seed: number) => () => {
  seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296
  return seed / 4_294_967_296
}

interface Load {
  readonly perSlot: number
  readonly millis: number
  readonly rejected: number
  /** Failures, from and to a slot. */
  readonly outage?: readonly [number, number]
}

const loads: Readonly<Record<string, Load>> = {
  billing: { perSlot: 42, millis: 38, rejected: 0.02 },
  search: { perSlot: 96, millis: 120, rejected: 0.05 },
  tickets: { perSlot: 18, millis: 260, rejected: 0.01, outage: [318, 360] },
  wiki: { perSlot: 7, millis: 75, rejected: 0.3 }
}

const grow = (
  server: ServerActivity,
  { millis, outage, perSlot, rejected }: Load,
  slot: number,
  chance: () => number
): ServerActivity => {
  const wave = 1 + 0.45 * Math.sin(slot / 38) + 0.25 * Math.sin(slot / 11)
  const all = Math.round(perSlot * wave * (0.8 + 0.4 * chance()))
  const no = Math.round(all * rejected * (0.3 + 1.4 * chance()))
  const broken = outage !== undefined && slot >= outage[0] && slot < outage[1]
  const durations = [...server.durations]
  if (!broken) {
    for (let index = 0; index < all - no; index++) {
      const bin = binOf(
        millis * Math.exp(0.7 * (chance() + chance() + chance() - 1.5)) * (1 + 0.3 * Math.sin(slot / 25))
      )
      durations[bin] = (durations[bin] ?? 0) + 1
    }
  }
  return {
    ...server,
    passed: server.passed + (broken ? 0 : all - no),
    rejected: server.rejected + no,
    failed: server.failed + (broken ? all - no : 0),
    durations,
    ...(broken
      ? { lastError: { at: now - 4_000, error: "UpstreamUnavailable", detail: "ECONNREFUSED 10.4.1.17:8080" } }
      : { lastResponseAt: now - (slotCount - slot - 0.3) * slotMillis })
  }
}

const rejected = (count: number, at: number, error: string, detail: string, provider?: string, server?: string) => ({
  count,
  last: {
    at: now - at,
    error,
    detail,
    ...(provider === undefined ? {} : { provider }),
    ...(server === undefined ? {} : { server })
  }
})

const rejections: Activity["rejections"] = {
  "MissingCredential": rejected(212, 3_000, "MissingCredential", ""),
  "InvalidToken.Expired": rejected(
    148,
    12_000,
    "InvalidToken",
    "exp 2026-11-30T14:21:07Z is 8 minutes 41 seconds ago, the tolerance is 5 seconds",
    "workforce"
  ),
  "InvalidToken.InvalidAudience": rejected(
    96,
    41_000,
    "InvalidToken",
    "aud is \"https://api.example.com\", expected \"https://mcp.example.com/wiki\"",
    "workforce",
    "wiki"
  ),
  "InsufficientScope": rejected(31, 4 * minutes, "InsufficientScope", "needs tickets:write", undefined, "tickets"),
  "DeniedByRule": rejected(
    9,
    11 * minutes,
    "DeniedByRule",
    "rule 3 denies the tool delete_ticket",
    undefined,
    "tickets"
  ),
  "RateLimited": rejected(6, 23 * minutes, "RateLimited", "limit 1 counts each client: 600 in 1 minute"),
  "UpstreamUnavailable": rejected(
    671,
    4_000,
    "UpstreamUnavailable",
    "ECONNREFUSED 10.4.1.17:8080",
    undefined,
    "tickets"
  ),
  "InvalidToken.UnknownKey": rejected(
    2,
    38 * minutes,
    "InvalidToken",
    "no key fits kid \"2024-old\" for RS256; there are \"k-2026-11\" (RS256), \"k-2026-10\" (RS256)",
    "partners"
  )
}

const healthy = (load: Load): Load => ({
  perSlot: load.perSlot,
  millis: load.millis,
  rejected: Math.min(load.rejected, 0.05)
})

/** An hour of traffic, with an MCP server that has stopped or without. */
const hour = (isTroubled: boolean): { readonly history: History; readonly activity: Activity } => {
  const chance = makeChance(7)
  const history = new History(now - slotCount * slotMillis)
  let servers: Readonly<Record<string, ServerActivity>> = {}
  let activity: Activity = { servers, providers: {}, rejections: {} }
  for (let slot = 0; slot < slotCount; slot++) {
    servers = Object.fromEntries(
      Object.entries(loads).map(([name, load]) => [
        name,
        grow(servers[name] ?? idleServer, isTroubled ? load : healthy(load), slot, chance)
      ])
    )
    activity = {
      servers,
      providers: { workforce: idleProvider },
      rejections: Object.fromEntries(
        Object.entries(rejections).filter(([key]) => isTroubled || !key.startsWith("Upstream")).map(([key, value]) => [
          key,
          { ...value, count: Math.round(value.count * (slot + 1) / slotCount) }
        ])
      )
    }
    history.sample(activity, now - (slotCount - slot - 1) * slotMillis)
  }
  return { history, activity }
}

const keySet = (source: string, kids: ReadonlyArray<string>, change: Partial<KeysStatus> = {}): KeysStatus => ({
  source,
  phase: "fresh",
  keys: kids.map((kid) => ({ kid, algorithms: ["RS256"] })),
  skipped: [],
  fetchedAt: now - 14 * minutes,
  freshUntil: now + 46 * minutes,
  nextFetchAt: now + 41 * minutes,
  failures: 0,
  ...change
})

const providersOf = (isTroubled: boolean): ReadonlyArray<ProviderStatus> => [
  {
    name: "workforce",
    type: "oidc",
    ready: true,
    state: "fresh",
    keySets: [keySet("https://login.example.com/oauth2/default", ["k-2026-11", "k-2026-10"])],
    lastAcceptedAt: now - 400,
    accepted: 48_211,
    rejected: 246
  },
  {
    name: "partners",
    type: "authkit",
    ready: true,
    state: isTroubled ? "stale" : "fresh",
    keySets: [
      keySet(
        "https://partners.authkit.app",
        ["sso_oidc_key_pair_01HZX"],
        isTroubled
          ? {
            phase: "stale",
            fetchedAt: now - 72 * minutes,
            freshUntil: now - 12 * minutes,
            nextFetchAt: now + 6_000,
            failures: 71,
            lastFailure: "https://partners.authkit.app/oauth2/jwks: Timeout of the whole fetch"
          }
          : {}
      )
    ],
    lastAcceptedAt: now - 21_000,
    accepted: 3_902,
    rejected: 12
  },
  {
    name: "legacy",
    type: "introspection",
    ready: true,
    state: "ready",
    keySets: [],
    lastAcceptedAt: now - 3 * minutes,
    accepted: 611,
    rejected: 4
  }
]

const settings: ReadonlyArray<EffectiveSetting> = [
  { name: "MCP_PUBLIC_URL", value: "https://mcp.example.com", source: "file" },
  { name: "MCP_ADMIN_PORT", value: 9464, source: "environment" },
  { name: "MCP_SESSION_KEY", value: "(hidden)", source: "environment" },
  { name: "MCP_WORKERS", value: 4, source: "command line" },
  { name: "MCP_REQUIRED_SCOPES", value: ["mcp"], source: "file" },
  {
    name: "MCP_RATE_LIMITS",
    value: [{ by: ["client"], limit: 600, window: "1m" }, { on: "failures", by: ["address"], limit: 30, window: "1m" }],
    source: "file"
  },
  {
    name: "MCP_PROVIDERS",
    value: [{ type: "oidc", name: "workforce", issuer: "https://login.example.com/oauth2/default", audience: "auto" }, {
      type: "authkit",
      name: "partners",
      issuer: "https://partners.authkit.app"
    }],
    source: "file"
  },
  { name: "MCP_PATH", value: "/mcp", source: "default" },
  { name: "MCP_CLOCK_SKEW", value: 5, source: "default" },
  { name: "MCP_MAX_BODY_BYTES", value: 10_485_760, source: "default" },
  { name: "MCP_ALLOWED_ORIGINS", value: [], source: "default" },
  { name: "MCP_AUDIT_LOG", value: null, source: "default" }
]

/** The status of a gateway with four MCP servers and three providers. */
export const standIn = ({ troubled = false } = {}): Status => {
  const { activity, history } = hour(troubled)
  const names = Object.keys(loads)
  return {
    now,
    startedAt: now - 3 * 24 * 60 * minutes - 5 * 60 * minutes,
    version: "0.1.0",
    workers: { configured: 4, heard: 4 },
    slots: { millis: slotMillis, count: slotCount, until: history.until },
    traffic: history.traffic(activity, names, now),
    servers: names.map((name) => {
      const { lastError, lastResponseAt } = activity.servers[name] ?? idleServer
      return {
        name,
        upstream: `http://${name}.internal:8080/mcp`,
        resource: `https://mcp.example.com/${name}`,
        state: lastError === undefined ? "ok" as const : "failing" as const,
        lastPassedAt: lastResponseAt,
        lastError,
        providers: name === "wiki" ? ["workforce"] : ["workforce", "partners", "legacy"],
        traffic: history.traffic(activity, [name], now)
      }
    }),
    providers: providersOf(troubled),
    rejections: Object.entries(activity.rejections).map(([reason, { count, last }]) => ({
      reason,
      sinceStart: count * 9,
      lastHour: history.rejections(activity, reason),
      last: { ...last, detail: last.detail === "" ? undefined : last.detail }
    })),
    warnings: [
      "MCP_RATE_LIMITS counts in each of 4 workers alone: set MCP_STORE_URL to count together."
    ],
    settings
  }
}

const tools = ["search_documents", "get_invoice", "create_ticket", "list_spaces", "delete_ticket"]

/** The maximum number of kept decisions. */
export const entries: ReadonlyArray<AuditEntry> = Array.from({ length: 200 }, (_, index): AuditEntry => {
  const names = Object.keys(loads)
  const denied = index % 17 === 3
  const unauthenticated = index % 11 === 5
  const missing = index % 23 === 9
  return {
    time: DateTime.formatIso(DateTime.makeUnsafe(now - index * 1_700 - 300)),
    trace_id: `${(0x4bf92f35 + index * 7_919).toString(16)}77b34da6a3ce929d0e0e4736`.slice(0, 32),
    server: names[index % names.length] ?? "",
    client_address: `10.20.3.${index % 40 + 2}`,
    http_method: "POST",
    ...(unauthenticated
      ? { decision: "unauthenticated", error: "InvalidToken", reason: "Expired", status: 401, duration_ms: 0.6 }
      : {
        provider: index % 5 === 0 ? "partners" : "workforce",
        subject: `user_${(index * 7_907 % 97).toString(36)}@example.com`,
        client: index % 3 === 0 ? "claude.ai" : "vscode",
        method: "tools/call",
        tool: tools[index % tools.length] ?? "",
        ...(denied
          ? { decision: "denied", rule: 3, error: "DeniedByRule", status: 403, duration_ms: 1.1 }
          : missing
          ? {
            decision: "missing_scopes",
            missing_scopes: ["tickets:write"],
            error: "InsufficientScope",
            status: 403,
            duration_ms: 1.4
          }
          : { decision: "allowed", rule: "default", status: 200, duration_ms: 20 + index * 37 % 240 })
      })
  }
})
