import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Keeps work alive after the response, like `ExecutionContext.waitUntil` of Cloudflare Workers. */
export type KeepAlive = (work: Promise<unknown>) => void

/**
 * The function by which the host keeps work alive after the response to the current request.
 *
 * For hosts on which the I/O of a request ends with its response (`SharedIo` is `false`): there, verdicts and keys are
 * renewed before they expire only if this is provided. Middlewares take it as the option `waitUntil`, and
 * `HttpApp.toWebHandler` as the second argument of its handler.
 */
export const WaitUntil = Context.Reference<KeepAlive | undefined>("mcp-authorizer/fairness/WaitUntil", {
  defaultValue: () => undefined
})

/**
 * Runs work after the response, if the host keeps it alive. Returns whether it does.
 *
 * The work has the services of this request. Its outcome is not reported.
 */
export const runAfterResponse = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<boolean> =>
  Effect.withFiber((fiber) => {
    const keepAlive = fiber.getRef(WaitUntil)
    if (keepAlive === undefined) return Effect.succeed(false)
    keepAlive(Effect.runPromiseWith(fiber.context)(Effect.ignoreCause(work)))
    return Effect.succeed(true)
  })
