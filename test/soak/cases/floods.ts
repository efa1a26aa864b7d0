/** One kind of client that takes more than its share, beside clients that do not. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { createPublicKey, KeyObject, randomUUID } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { figure, score } from "../../bench/report/Outcome.ts"
import { audience } from "../../bench/tokens.ts"
import type { FloodArguments, FloodKind } from "../clients/flood.ts"
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

/** A JWT of the issuer whose key id is not in its set; nobody need sign it. */
const unknownKeyToken = (issuer: string): string => {
  const exp = Math.floor(performance.timeOrigin / 1000) + 86_400
  return `${encode({ alg: "RS256", kid: randomUUID(), typ: "at+jwt" })}.${
    encode({ iss: issuer, aud: audience, sub: "nobody", exp })
  }.${Buffer.alloc(256, 1).toString("base64url")}`
}

interface Flood {
  readonly kind: FloodKind
  /** Callers are known by introspection. */
  readonly opaque?: true
}

const floods: ReadonlyArray<Flood> = [
  { kind: "unknown-key" },
  { kind: "no-token" },
  { kind: "slow-calls" },
  { kind: "invented-tokens", opaque: true },
  { kind: "broken-tokens", opaque: true },
  { kind: "unfinished-bodies" },
  { kind: "leaving" },
  { kind: "slow-heads" },
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

const flooding = ({ kind, opaque }: Flood): SoakCase["run"] =>
  Effect.gen(function*() {
    const { seconds, tokensFile } = yield* Soak
    const { issuer, key } = yield* TestIssuer
    const server = yield* mcpServer
    const { kid, privateKey } = yield* key("RS256")
    const publicKey = { ...createPublicKey(KeyObject.from(privateKey)).export({ format: "jwk" }), kid }
    // Slow, so that everybody whose key id is unknown waits for it.
    const identities = yield* provider({ jwksMillis: 3000, publicKey })
    const settings = opaque === true
      ? opaqueSettings(identities.origin)
      : { MCP_JWT_JWKS_URI: `${identities.origin}/jwks` }
    const ours = yield* gateway(server.origin, { settings: { ...settings, MCP_LOG_LEVEL: "error" } })
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
    const flooder = yield* Effect.forkChild(client<FloodArguments, object>("flood", flood))
    yield* Effect.sleep("1 second")
    const flooded = yield* good("flooded")
    yield* Fiber.join(flooder)
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
        figure("connections to the MCP server opened", "", [afterServer.opened - beforeServer.opened])
      ],
      scores: [
        score(`${kind}/served`, "share of good requests that were answered well", share),
        score(`${kind}/delay`, "p99 of good requests: flooded to idle", flooded.p99 / idle.p99),
        score(`${kind}/memory`, "MiB of resident memory that the flood costs at its height", growth)
      ],
      notes: Object.entries(flooded.failures).map(([outcome, count]) => `${kind}: ${count} good requests: ${outcome}`)
    }
  })

export const floodCases: ReadonlyArray<SoakCase> = floods.map((flood) => ({
  name: `flood: ${flood.kind}`,
  run: flooding(flood)
}))
