import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { Overloaded } from "../errors/GatewayError.ts"
import { ByteBudget } from "../fairness/ByteBudget.ts"
import type { Owner } from "../fairness/FairQueue.ts"
import type { RequestHead } from "./requestHead.ts"

/** Shorter messages, which are most, are not counted. */
export const uncountedBytes = 16 * 1024

/** How long a message waits for memory, in seconds. */
export const memoryWaitSeconds = 5

export const noMemory = (): Overloaded =>
  new Overloaded({ detail: "no memory for the message; see MCP_MAX_BUFFERED_BYTES", retryAfter: memoryWaitSeconds })

/** The memory for messages that have not been sent to the MCP server yet. */
export interface BodyMemory {
  readonly budget: ByteBudget
  /** The maximum for one message, in bytes. */
  readonly max: number
  /**
   * Whether messages wait for memory. On platforms where requests cannot wait for each other, the platform limits
   * memory.
   */
  readonly isAwaited: boolean
}

/** @param isAwaited the value of `SharedIo` */
export const makeBodyMemory = (
  { maxBodyBytes, maxBufferedBytes }: GatewaySettings,
  isAwaited: boolean
): BodyMemory => ({
  budget: new ByteBudget(maxBufferedBytes),
  max: Math.min(maxBodyBytes, Math.floor(maxBufferedBytes / 2)),
  isAwaited
})

/** Waits until there is memory for the body of a request; the scope is that of the request. */
export const awaitMemory = (
  { budget, isAwaited, max }: BodyMemory,
  headers: RequestHead["headers"],
  owner: Owner
): Effect.Effect<void, Overloaded, Scope.Scope> => {
  const length = headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : max
  if (!isAwaited || length <= uncountedBytes) return Effect.void
  const claim = budget.open(owner)
  const granted = Effect.callback<void, Overloaded>((resume) =>
    claim.take(Math.min(length, max), () => resume(Effect.void), () => resume(Effect.fail(noMemory())))
  )
  return Effect.andThen(
    Effect.addFinalizer(() => Effect.sync(() => claim.release())),
    Effect.timeoutOrElse(granted, {
      duration: `${memoryWaitSeconds} seconds`,
      orElse: () => Effect.fail(noMemory())
    })
  )
}
