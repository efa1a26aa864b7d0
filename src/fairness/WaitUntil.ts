import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** Accepts work that continues after the response, as `ExecutionContext.waitUntil` of Cloudflare Workers does. */
export type KeepAlive = (work: Promise<unknown>) => void

/**
 * How the host of the current request keeps work alive after its response.
 *
 * For hosts on which the I/O of a request ends with it (`SharedIo` is `false`): there, verdicts and keys are renewed ahead of
 * their end only if this is given. Middlewares take it as the option `waitUntil`, and `HttpApp.toWebHandler` as the second
 * argument of its handler.
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
