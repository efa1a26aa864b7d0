/** Plays a sequence of commands in a world of its own. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { JwksSource } from "../../keys/JwksCache.ts"
import type { Command } from "./Command.ts"
import type { History } from "./History.ts"
import { keyId } from "./publisher.ts"
import { makeWorld, type Subject, type World } from "./World.ts"

/** A day in 2027, in milliseconds. */
const start = 1_800_000_000_000

/** Does something in a time of its own, which stands still unless it is moved; ends what was begun. Quiet. */
export const inOwnTime = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E> =>
  Effect.flatMap(
    Layer.build(TestClock.layer()),
    (context) => Effect.provideContext(Effect.andThen(TestClock.setTime(start), effect), context)
  ).pipe(Effect.provideService(References.MinimumLogLevel, "None"), Effect.scoped)

/** Does something with each of these, in turn, and each time in a time of its own. */
export const inTurn = <A, E>(
  values: ReadonlyArray<A>,
  play: (value: A) => Effect.Effect<void, E, Scope.Scope>
): Effect.Effect<void, E> => Effect.forEach(values, (value) => inOwnTime(play(value)), { discard: true })

/** No change happens at the moment of a question that came before it: times alone tell what was when. */
const later = <A, E>(change: Effect.Effect<A, E>): Effect.Effect<A, E> => Effect.andThen(TestClock.adjust(1), change)

const obey = <E>(world: World<E>, command: Command): Effect.Effect<unknown, E> => {
  const { newestKid, publish, publishNext, withdraw } = world.publisher
  switch (command._tag) {
    case "Ask":
      return world.ask(command.instance, keyId(command.key), command)
    case "AskNewest":
      return world.ask(command.instance, newestKid(), command)
    case "AskUnknown":
      return world.ask(command.instance, `unknown-${command.kid}`, command)
    case "Prefetch":
      return world.prefetch(command.instance)
    case "Phase":
      return world.report(command.instance)
    case "Publish":
      return later(publishNext)
    case "Withdraw":
      return later(withdraw(keyId(command.key)))
    case "Renew":
      return later(Effect.andThen(withdraw(keyId(command.key)), publish(keyId(command.key))))
    case "Repeat":
      return later(publish(keyId(command.key)))
    case "SetHealth":
      return later(Effect.sync(() => world.provider.setHealth(command.health)))
    case "SetLifetime":
      return Effect.sync(() => world.provider.setLifetime(command.lifetime))
    case "SetStore":
      return Effect.sync(() => world.setStoreMood(command.mood))
    case "Restart":
      return world.restart(command.instance)
    case "Wait":
      return world.wait(command.seconds)
  }
}

/** What happens when these commands are obeyed one after the other. */
export const play = <E>(
  subject: Subject<E>,
  commands: ReadonlyArray<Command>,
  source?: JwksSource
): Effect.Effect<History, E> =>
  inOwnTime(Effect.gen(function*() {
    const world = yield* makeWorld(subject, source)
    for (const command of commands) yield* obey(world, command)
    return world.history()
  }))
