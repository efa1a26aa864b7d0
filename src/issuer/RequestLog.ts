/** The requests that a test peer received, and a way to wait for them. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { ReceivedRequest } from "./ReceivedRequest.ts"

export interface RequestLog {
  readonly add: (request: ReceivedRequest) => Effect.Effect<void>
  /** Returns the requests to `path`, or all of them, oldest first. */
  readonly select: (path: string | undefined) => ReadonlyArray<ReceivedRequest>
  /** Waits until `path` has received `count` requests. */
  readonly reach: (path: string, count: number) => Effect.Effect<void>
}

export const makeRequestLog = (): RequestLog => {
  const received: Array<ReceivedRequest> = []
  const waiters = new Set<{ readonly reached: () => boolean; readonly done: Deferred.Deferred<void> }>()

  const select = (path: string | undefined) => received.filter((request) => path === undefined || request.path === path)

  return {
    select,
    add: (request) =>
      Effect.suspend(() => {
        received.push(request)
        const ready = Array.from(waiters).filter((waiter) => waiter.reached())
        return Effect.forEach(ready, (waiter) => Deferred.succeed(waiter.done, undefined), { discard: true })
      }),
    reach: Effect.fnUntraced(function*(path, count) {
      const reached = () => select(path).length >= count
      if (reached()) return
      const waiter = { reached, done: yield* Deferred.make<void>() }
      waiters.add(waiter)
      yield* Effect.ensuring(Deferred.await(waiter.done), Effect.sync(() => waiters.delete(waiter)))
    })
  }
}
