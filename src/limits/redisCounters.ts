/** Counters in Redis or Valkey, which several processes share. */
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { type Charge, type ChargeMode, type Exceeded, type LimitCounters, StoreFailed } from "./LimitStore.ts"
import { storeProblem } from "./prompt.ts"

// Does the same as `counter.ts`, for all charges of a request at once. Otherwise a caller over its own limit could use
// up what it shares with others. The script uses the time of the store, so that the clocks of replicas need not agree.
// An entry that is not a counter counts as missing.
const lua = `
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local worst, longest = 0, 0
local values, lives = {}, {}
for i, key in ipairs(KEYS) do
  local at = i * 4 - 2
  local limit, window, tokens = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local count, ends = string.match(redis.call("GET", key) or "", "^(%d+) (%d+%.?%d*)$")
  count, ends = tonumber(count) or 0, math.min(tonumber(ends) or 0, now + window)
  local wait = 0
  if ARGV[at] == "fixed-window" then
    if ends <= now then count, ends = 0, now + window end
    count = count + tokens
    if count > limit then wait = ends - now end
  else
    count, ends = 0, math.max(ends, now) + tokens * window / limit
    local missing = ends - now - window
    if missing > 0.01 then wait = missing end
  end
  if wait > 0 and tokens > limit then wait = window end
  if wait > longest then worst, longest = i, wait end
  values[i] = string.format("%d %.3f", count, ends)
  lives[i] = math.max(1, math.ceil(ends - now))
end
if worst == 0 and ARGV[1] == "count" then
  for i, key in ipairs(KEYS) do redis.call("SET", key, values[i], "PX", lives[i]) end
end
return { worst, math.ceil(longest) }
`

const script = Redis.script(
  (mode: ChargeMode, keys: ReadonlyArray<string>, charges: ReadonlyArray<Charge>) => [
    ...keys,
    mode,
    ...charges.flatMap(({ counting: { algorithm, limit, windowMillis }, tokens }) => [
      algorithm,
      limit,
      windowMillis,
      tokens
    ])
  ],
  { lua, numberOfKeys: (_, keys) => keys.length }
).withReturnType<unknown>()

const isIndex = (value: unknown, max: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max

/** The reply of the store, if it is valid. */
const verdictOf = (
  reply: unknown,
  charges: ReadonlyArray<Charge>
): Effect.Effect<Exceeded | undefined, StoreFailed> => {
  const [worst, wait]: ReadonlyArray<unknown> = Array.isArray(reply) && reply.length === 2 ? reply : []
  if (!isIndex(worst, charges.length) || !isIndex(wait, Number.MAX_SAFE_INTEGER)) {
    return Effect.fail(new StoreFailed({ detail: "the store gives another reply than its script" }))
  }
  const counting = charges[worst - 1]?.counting
  if (counting === undefined) return Effect.succeed(undefined)
  // Regardless of the store's reply, no client has to wait longer than a window.
  return Effect.succeed({ index: worst - 1, waitMillis: Math.min(Math.max(wait, 1), counting.windowMillis) })
}

const encoder = new TextEncoder()

const purpose = encoder.encode("mcp-authorizer keys of counters\u0001")

type Naming = Pick<GatewaySettings, "sessionKeys" | "storeKeyPrefix">

/**
 * Builds the function that returns the name of a counter in the store. With a session key, no one else can find out
 * which caller it belongs to.
 */
const makeNameOf = Effect.fnUntraced(function*({ sessionKeys: [secret], storeKeyPrefix }: Naming) {
  const { digestHex } = yield* Digest.Digest
  const mac = yield* Mac.Mac
  const named = (name: string) => `${storeKeyPrefix}limit:${name}`
  if (secret === undefined) {
    return (text: string) => Effect.map(digestHex(Digest.sha256, encoder.encode(text)), named)
  }
  const root = yield* Mac.key(Mac.hmacSha256, encoder.encode(Redacted.value(secret)))
  const key = yield* Mac.key(Mac.hmacSha256, yield* mac.sign(root, purpose))
  return (text: string) => Effect.map(mac.sign(key, encoder.encode(text)), (tag) => named(Hex.encode(tag)))
})

/**
 * Builds counters in the Redis or Valkey server that the `Redis` service is connected to: version 5 or later, not a
 * cluster.
 *
 * One script charges all counters of a request, or none. Counters expire by themselves. Their keys consist of
 * `MCP_STORE_KEY_PREFIX` and an HMAC under `MCP_SESSION_KEY`, or a digest if there is no such key, so that they do not
 * reveal callers.
 */
export const makeRedisCounters = Effect.fnUntraced(function*(
  settings: Naming
): Effect.fn.Return<LimitCounters, never, Redis.Redis | Digest.Digest | Mac.Mac> {
  const redis = yield* Redis.Redis
  const nameCounter = yield* Effect.orDie(makeNameOf(settings))
  const evaluate = redis.eval(script)
  return {
    charge: Effect.fnUntraced(function*(charges, mode) {
      const keys = yield* Effect.orDie(
        Effect.forEach(charges, ({ key, limit }) => nameCounter(JSON.stringify([limit, key])))
      )
      const reply = yield* Effect.mapError(
        evaluate(mode, keys, charges),
        ({ cause }) => new StoreFailed({ detail: `the store fails (${storeProblem(cause)})` })
      )
      return yield* verdictOf(reply, charges)
    })
  }
})
