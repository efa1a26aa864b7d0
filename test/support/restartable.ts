import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

/**
 * Runs something that can be stopped and started again at the same address, such as a gateway in this process, which
 * then has no memory.
 */
export const restartable = Effect.fnUntraced(function*(start: Effect.Effect<unknown, never, Scope.Scope>) {
  const outer = yield* Scope.Scope
  let running = yield* Scope.fork(outer)
  yield* Scope.provide(start, running)
  const restart = Effect.gen(function*() {
    yield* Scope.close(running, Exit.void)
    running = yield* Scope.fork(outer)
    yield* Scope.provide(start, running)
  })
  return { restart }
})
