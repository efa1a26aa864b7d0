/** Services and values that a configuration takes over from the previous one when the configuration is reloaded. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

interface Kept {
  readonly name: string
  readonly settings: unknown
  readonly value: unknown
  readonly close: Effect.Effect<void>
  holders: number
}

/** The shared values that one configuration uses. */
export interface Holding {
  readonly find: (name: string, settings: unknown) => { readonly value: unknown } | undefined
  readonly add: (name: string, settings: unknown, value: unknown, close?: Effect.Effect<void>) => void
  /** Closes everything that no other configuration uses. */
  readonly release: Effect.Effect<void>
}

/** The values that configurations share. Each is kept as long as a configuration uses it. */
export class CarriedOver {
  readonly #kept = new Set<Kept>()

  get size(): number {
    return this.#kept.size
  }

  /** Starts the set of values that a new configuration uses. */
  hold(): Holding {
    const held = new Set<Kept>()
    const hold = (kept: Kept): void => {
      if (held.has(kept)) return
      held.add(kept)
      kept.holders++
    }
    return {
      find: (name, settings) => {
        for (const kept of this.#kept) {
          if (kept.name !== name || !Equal.equals(kept.settings, settings)) continue
          hold(kept)
          return kept
        }
        return undefined
      },
      add: (name, settings, value, close = Effect.void) => {
        const kept = { name, settings, value, close, holders: 0 }
        this.#kept.add(kept)
        hold(kept)
      },
      release: Effect.suspend(() => {
        // Closed in reverse order, because a value may use those that were built before it.
        const unused = [...held].toReversed().filter((kept) => --kept.holders === 0)
        held.clear()
        for (const kept of unused) this.#kept.delete(kept)
        return Effect.forEach(unused, ({ close }) => close, { discard: true })
      })
    }
  }
}

/** The holding of the configuration that is being built; `undefined` if nothing is carried over. */
export const CurrentHolding = Context.Reference<Holding | undefined>("mcp-authorizer/config/carryOver/CurrentHolding", {
  defaultValue: () => undefined
})

/** The part of a holding that is about one of several servers. */
export const holdingOf = (server: string, holding: Holding | undefined): Holding | undefined =>
  holding === undefined ? undefined : {
    ...holding,
    find: (name, settings) => holding.find(`${name} of ${server}`, settings),
    add: (name, ...rest) => holding.add(`${name} of ${server}`, ...rest)
  }

/**
 * Builds a service, or takes over the one that an earlier configuration built from equal settings.
 *
 * It is closed when no configuration uses it any more.
 *
 * @param name the name of the service
 * @param settings everything that it depends on, compared by value
 */
export const carryOver = <A, E, R>(
  name: string,
  settings: unknown,
  build: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.gen(function*(): Effect.fn.Return<A, E, R | Scope.Scope> {
    const holding = yield* CurrentHolding
    if (holding === undefined) return yield* build
    const known = holding.find(name, settings)
    // The name and the settings identify the service, so the value has its type.
    if (known !== undefined) return known.value as A
    const scope = yield* Scope.make()
    const value = yield* Effect.provideService(build, Scope.Scope, scope).pipe(
      Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit))
    )
    holding.add(name, settings, value, Scope.close(scope, Exit.void))
    return value
  })

/** Like `carryOver`, for a value that need not be closed. */
export const carryOverValue = <A>(name: string, settings: unknown, make: () => A): Effect.Effect<A> =>
  Effect.map(CurrentHolding, (holding) => {
    const known = holding?.find(name, settings)
    // As above.
    if (known !== undefined) return known.value as A
    const value = make()
    holding?.add(name, settings, value)
    return value
  })
