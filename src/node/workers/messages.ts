/**
 * The messages between the primary and its workers. Both ends are this program, so messages are not validated.
 */
import type { Sources } from "../../config/resolve.ts"

/** The first argument of a worker. It is visible in the list of processes. */
export const workerArgument = "worker"

/** The order that a worker gets once it has reported that it listens. */
export interface Start {
  readonly _tag: "Start"
  /** 1 for the first. A worker that replaces another one has the same number. */
  readonly number: number
  /** Never 0: all workers must have the same port. */
  readonly port: number
  /** Not read again by each worker: the sources may have changed since the primary checked them. */
  readonly sources: Sources
}

/** Messages from the primary to a worker. */
export type Order = Start | { readonly _tag: "Ping" } | { readonly _tag: "Reopen" }

/** Messages from a worker to the primary. */
export type Report =
  | { readonly _tag: "Awake" }
  | { readonly _tag: "Ready"; readonly url: string }
  | { readonly _tag: "Pong" }
