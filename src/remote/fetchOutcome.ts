/** How a fetch ends, and the state after it. Pure. */
import * as Exit from "effect/Exit"
import * as State from "./remoteState.ts"

export interface Outcome<A> {
  readonly value: A
  /** Whether the provider has just been requested. */
  readonly latest: boolean
}

/**
 * The result of a successful fetch: the provider sent the value, another instance had it, or another instance is
 * waiting after a failure.
 */
export type Brought<A> =
  | { readonly _tag: "Recalled"; readonly value: A }
  | { readonly _tag: "BackedOff" }
  | { readonly _tag: "Fetched"; readonly fetched: State.Fetched<A> }

/** Converts the result of a fetch to the outcome for callers. */
export const outcomeOf = <A, E>(exit: Exit.Exit<Brought<A>, E>, backedOff: () => E): Exit.Exit<Outcome<A>, E> => {
  if (Exit.isFailure(exit)) return Exit.failCause(exit.cause)
  const brought = exit.value
  switch (brought._tag) {
    case "Fetched":
      return Exit.succeed({ value: brought.fetched.value, latest: true })
    case "Recalled":
      return Exit.succeed({ value: brought.value, latest: false })
    case "BackedOff":
      return Exit.fail(backedOff())
  }
}

export const stateAfter = <A, E>(
  state: State.RemoteState<A>,
  exit: Exit.Exit<Brought<A>, E>,
  now: number,
  limits: State.FetchLimits
): State.RemoteState<A> => {
  if (Exit.isFailure(exit)) return State.failed(state, now, limits)
  return exit.value._tag === "Fetched" ? State.succeeded(state, now, limits, exit.value.fetched) : State.rested(state)
}
