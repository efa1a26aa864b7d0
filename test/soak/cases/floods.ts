/** One kind of client that takes more than its share, together with well-behaved clients. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { createPublicKey, KeyObject, randomUUID } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { figure, type Score, score } from "../../bench/report/Outcome.ts"
import { audience } from "../../bench/tokens.ts"
import type { FloodArguments, FloodKind, FloodResult } from "../clients/flood.ts"
import type { GoodArguments, GoodResult } from "../clients/good.ts"
import {
  client,
  gateway,
  type GatewayOptions,
  mcpServer,
  provider,
  Soak,
  type SoakCase,
  statsOf,
  usageOf
} from "../Soak.ts"

const mebi = 2 ** 20
const goodRate = 50

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A JWT of the issuer whose key id is not in its set; it needs no valid signature. */
const unknownKeyToken = (issuer: string): string => {
  const exp = Math.floor(performance.timeOrigin / 1000) + 86_400
  return `${encode({ alg: "RS256", kid: randomUUID(), typ: "at+jwt" })}.${
    encode({ iss: issuer, aud: audience, sub: "nobody", exp })
  }.${Buffer.alloc(256, 1).toString("base64url")}`
}

interface Observed {
  /** How long the flood lasted. */
  readonly seconds: number
  /** The results of the flooding client. */
  readonly flood: FloodResult
  /** Connections to the MCP server that were opened during the flood. */
  readonly opened: number
  /** The most that were open at a time. */
  readonly most: number
}

interface Flood {
  readonly kind: FloodKind
  /** Callers are known by introspection. */
  readonly opaque?: true
  readonly settings?: GatewayOptions["settings"]
  /** The limits for this kind, in addition to those for all. */
  readonly also?: (observed: Observed) => ReadonlyArray<Score>
}

/** Slow clients are cut at the configured time. */
const cutIn = (kind: FloodKind, settingSeconds: number) => ({ flood, seconds }: Observed): ReadonlyArray<Score> =>
  // A shorter flood is over before.
  seconds < 2 * settingSeconds ? [] : [
    score(`${kind}/cut`, "how long slow clients live, in the middle: to the setting", flood.cutMedian / settingSeconds),
    score(`${kind}/latest`, "how long the slowest client lives: to the setting", flood.cutLatest / settingSeconds)
  ]

const floods: ReadonlyArray<Flood> = [
  { kind: "unknown-key" },
  { kind: "no-token" },
  {
    kind: "slow-calls",
    also: ({ most }) => [score("slow-calls/connections", "connections to the MCP server at their height", most)]
  },
  { kind: "invented-tokens", opaque: true },
  { kind: "broken-tokens", opaque: true },
  { kind: "unfinished-bodies" },
  {
    kind: "leaving",
    also: ({ flood, opened }) => [
      score(
        "leaving/connections",
        "connections to the MCP server opened for each client that left",
        opened / flood.opened
      )
    ]
  },
  { kind: "slow-heads", also: cutIn("slow-heads", 10) },
  {
    kind: "slow-bodies",
    settings: { MCP_CLIENT_BODY_TIMEOUT: "15", MCP_CLIENT_MIN_RATE: "0" },
    also: cutIn("slow-bodies", 15)
  },
  { kind: "silent-readers" },
  { kind: "many-fields" }
]

const opaqueSettings = (origin: string): GatewayOptions["settings"] => ({
  MCP_PROVIDER_TYPE: "introspection",
  MCP_JWT_ISSUER: origin,
  MCP_JWT_JWKS_URI: "",
  MCP_INTROSPECTION_URL: `${origin}/introspect`,
  MCP_CLIENT_ID: "soak",
  MCP_CLIENT_SECRET: "soak-secret"
})

/** Opaque tokens of callers that are all new: one for each request. */
const newOpaqueTokens = Effect.fnUntraced(function*(name: string, count: number) {
  const { directory } = yield* Soak
  const file = join(directory, `${name}.txt`)
  const lines = Array.from({ length: count }, () => `good-${randomUUID()}\n`)
  yield* Effect.promise(() => writeFile(file, lines.join("")))
  return file
})

const flooding = ({ also, kind, opaque, settings }: Flood): SoakCase["run"] =>
  Effect.gen(function*() {
    const { seconds, tokensFile } = yield* Soak
    const { issuer, key } = yield* TestIssuer
    const server = yield* mcpServer
    const { kid, privateKey } = yield* key("RS256")
    const publicKey = { ...createPublicKey(KeyObject.from(privateKey)).export({ format: "jwk" }), kid }
    // Slow, so that everybody whose key id is unknown waits for it.
    const identities = yield* provider({ jwksMillis: 3000, publicKey })
    const ours = yield* gateway(server.origin, {
      settings: {
        ...opaque === true ? opaqueSettings(identities.origin) : { MCP_JWT_JWKS_URI: `${identities.origin}/jwks` },
        MCP_LOG_LEVEL: "error",
        ...settings
      }
    })
    const good = Effect.fnUntraced(function*(name: string) {
      const file = opaque === true ? yield* newOpaqueTokens(`${kind}-${name}`, (seconds + 5) * goodRate) : tokensFile
      // From another address than the flood, as good callers are.
      const options: GoodArguments = {
        origin: ours.origin,
        seconds,
        rate: goodRate,
        tokensFile: file,
        localAddress: "127.0.0.9"
      }
      return yield* client<GoodArguments, GoodResult>("good", options)
    })

    const idle = yield* good("idle")
    const before = usageOf(ours)
    const beforeServer = yield* statsOf(server)
    const floodTokens = opaque === true ? yield* newOpaqueTokens(`${kind}-flood`, 1) : tokensFile
    const flood: FloodArguments = {
      kind,
      origin: ours.origin,
      seconds: seconds + 2,
      tokensFile: floodTokens,
      unknownKeyToken: unknownKeyToken(issuer)
    }
    const flooder = yield* Effect.forkChild(client<FloodArguments, FloodResult>("flood", flood))
    yield* Effect.sleep("1 second")
    const flooded = yield* good("flooded")
    const observed = yield* Fiber.join(flooder)
    const after = usageOf(ours)
    const afterServer = yield* statsOf(server)
    const share = 1 - flooded.failed / flooded.requests
    const growth = (after.memory.peak - before.memory.now) / mebi
    return {
      figures: [
        figure("good callers, no flood", "ms (p99)", [idle.p99]),
        figure("good callers, flooded", "ms (p99)", [flooded.p99]),
        figure("/healthz, flooded", "ms (p99)", [flooded.healthP99]),
        figure("processor time of the gateway", "ms a second", [
          (after.processor - before.processor) / 1000 / (seconds + 2)
        ]),
        figure("connections of the flood", "", [observed.opened]),
        figure("connections of the flood that were cut", "", [observed.cut]),
        figure("connections to the MCP server opened", "", [afterServer.opened - beforeServer.opened]),
        figure("connections to the MCP server at their height", "", [afterServer.most])
      ],
      scores: [
        score(`${kind}/served`, "share of valid requests that succeeded", share),
        score(`${kind}/delay`, "p99 of good requests: flooded to idle", flooded.p99 / idle.p99),
        score(`${kind}/health`, "p99 of /healthz: flooded to idle", flooded.healthP99 / idle.healthP99),
        score(`${kind}/memory`, "MiB of resident memory that the flood costs at its height", growth),
        ...also?.({
          seconds,
          flood: observed,
          opened: afterServer.opened - beforeServer.opened,
          most: afterServer.most
        }) ?? []
      ],
      notes: Object.entries(flooded.failures).map(([outcome, count]) => `${kind}: ${count} good requests: ${outcome}`)
    }
  })

export const floodCases: ReadonlyArray<SoakCase> = floods.map((flood) => ({
  name: `flood: ${flood.kind}`,
  run: flooding(flood)
}))
