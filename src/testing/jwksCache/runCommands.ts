/** Runs a sequence of commands in a fixture of its own. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { JwksSource } from "../../keys/JwksCache.ts"
import { type CacheFixture, makeFixture, type Subject } from "./CacheFixture.ts"
import type { Command } from "./Command.ts"
import type { History } from "./History.ts"
import { keyId } from "./publisher.ts"

/** A day in 2027, in milliseconds. */
const start = 1_800_000_000_000

/**
 * Runs an effect with its own clock, which stands still unless it is adjusted, without logs. Stops everything that was
 * started.
 */
export const withOwnClock = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E> =>
  Effect.flatMap(
    Layer.build(TestClock.layer()),
    (context) => Effect.provideContext(Effect.andThen(TestClock.setTime(start), effect), context)
  ).pipe(Effect.provideService(References.MinimumLogLevel, "None"), Effect.scoped)

/** Runs an effect for each value, one after the other, each with its own clock. */
export const forEachWithOwnClock = <A, E>(
  values: ReadonlyArray<A>,
  check: (value: A) => Effect.Effect<void, E, Scope.Scope>
): Effect.Effect<void, E> => Effect.forEach(values, (value) => withOwnClock(check(value)), { discard: true })

/** Delays a change, so that no change has the same time as an earlier lookup: times alone define the order. */
const later = <A, E>(change: Effect.Effect<A, E>): Effect.Effect<A, E> => Effect.andThen(TestClock.adjust(1), change)

const execute = <E>(fixture: CacheFixture<E>, command: Command): Effect.Effect<unknown, E> => {
  const { newestKid, publish, publishNext, withdraw } = fixture.publisher
  switch (command._tag) {
    case "Ask":
      return fixture.ask(command.instance, keyId(command.key), command)
    case "AskNewest":
      return fixture.ask(command.instance, newestKid(), command)
    case "AskUnknown":
      return fixture.ask(command.instance, `unknown-${command.kid}`, command)
    case "Prefetch":
      return fixture.prefetch(command.instance)
    case "Phase":
      return fixture.report(command.instance)
    case "Publish":
      return later(publishNext)
    case "Withdraw":
      return later(withdraw(keyId(command.key)))
    case "Renew":
      return later(Effect.andThen(withdraw(keyId(command.key)), publish(keyId(command.key))))
    case "Repeat":
      return later(publish(keyId(command.key)))
    case "SetHealth":
      return later(Effect.sync(() => fixture.provider.setHealth(command.health)))
    case "SetLifetime":
      return Effect.sync(() => fixture.provider.setLifetime(command.lifetime))
    case "SetStore":
      return Effect.sync(() => fixture.setStoreBehaviour(command.behaviour))
    case "Restart":
      return fixture.restart(command.instance)
    case "Wait":
      return fixture.wait(command.seconds)
  }
}

/** Runs the commands one after the other, and returns the history. */
export const runCommands = <E>(
  subject: Subject<E>,
  commands: ReadonlyArray<Command>,
  source?: JwksSource
): Effect.Effect<History, E> =>
  withOwnClock(Effect.gen(function*() {
    const fixture = yield* makeFixture(subject, source)
    for (const command of commands) yield* execute(fixture, command)
    yield* fixture.stop
    return fixture.history()
  }))
