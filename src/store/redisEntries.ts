/** The entries that replicas share, in Redis or Valkey. */
import * as Effect from "effect/Effect"
import * as Redis from "effect/persistence/Redis"
import type * as Scope from "effect/Scope"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { StoreFailed } from "../limits/LimitStore.ts"
import { makePrompt, storeProblem } from "../limits/prompt.ts"
import type { RawEntries } from "./sealedEntries.ts"
import { countOperation, noteStoreUp } from "./storeMetrics.ts"

/**
 * A key of another type, which another program has written, counts as missing. It does not mean that the store fails.
 */
const isOfAnotherType = (cause: unknown): boolean => cause instanceof Error && cause.message.startsWith("WRONGTYPE")

const shared = "verdicts about opaque tokens and keys of providers"

/**
 * Makes entries in the Redis or Valkey server that the `Redis` service speaks to.
 *
 * An operation takes `MCP_STORE_TIMEOUT_MILLIS` at most. After three failures in a row, the store is not used for a second.
 * Reading and writing fail separately, because a full store can be read. Entries are written in the background, so that
 * no request waits for that.
 */
export const makeRedisEntries = Effect.fnUntraced(function*(
  { storeTimeoutMillis }: Pick<GatewaySettings, "storeTimeoutMillis">
): Effect.fn.Return<RawEntries, never, Redis.Redis | Scope.Scope> {
  const redis = yield* Redis.Redis
  const scope = yield* Effect.scope
  const run = Effect.runForkWith(yield* Effect.context<never>())

  const boundOf = (operation: "read" | "write", working: string, failing: string) =>
    makePrompt(
      storeTimeoutMillis,
      { failing: (detail) => `${failing}: ${detail}. Each process has its own in the meantime.`, working },
      (works) => void run(noteStoreUp(operation, works))
    )
  const reading = boundOf("read", `The store is read again: ${shared}`, `The store cannot be read (${shared})`)
  const writing = boundOf("write", `The store is written again: ${shared}`, `The store cannot be written (${shared})`)
  yield* noteStoreUp("read", true)
  yield* noteStoreUp("write", true)

  const send = (command: string, ...words: ReadonlyArray<string>) =>
    redis.send<unknown>(command, ...words).pipe(
      Effect.catch(({ cause }) =>
        isOfAnotherType(cause)
          ? Effect.undefined
          : Effect.fail(new StoreFailed({ detail: `the store fails (${storeProblem(cause)})` }))
      )
    )

  /** Runs an operation that no request waits for. */
  const inBackground = (operation: Effect.Effect<unknown, StoreFailed>) =>
    operation.pipe(
      Effect.matchEffect({
        onFailure: () => countOperation("write", "failure"),
        onSuccess: () => countOperation("write", "success")
      }),
      Effect.forkIn(scope),
      Effect.asVoid
    )

  return {
    // Reads only a part of the entry: another program may have stored a gigabyte there.
    read: (key, maxLength) =>
      reading(send("GETRANGE", key, "0", String(maxLength - 1))).pipe(
        Effect.map((reply) => typeof reply === "string" && reply !== "" ? reply : undefined),
        Effect.mapError(() => "failed" as const)
      ),
    write: (key, value, millis) => inBackground(writing(send("SET", key, value, "PX", String(millis)))),
    remove: (key) => inBackground(writing(send("DEL", key))),
    claim: (key, millis) =>
      writing(send("SET", key, "1", "NX", "PX", String(millis))).pipe(
        // Any reply other than the one for an existing key.
        Effect.map((reply) => reply !== null),
        Effect.tap((isClaimed) => countOperation("claim", isClaimed ? "success" : "taken")),
        Effect.catch(() => Effect.as(countOperation("claim", "failure"), true))
      )
  }
})
