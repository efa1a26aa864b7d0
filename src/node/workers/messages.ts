/**
 * What the primary and its workers tell each other. Both ends are this program, so nothing is checked on arrival.
 */
import type { Sources } from "../../config/resolve.ts"

/** How the arguments of a worker begin. They show in the list of processes. */
export const workerArgument = "worker"

/** What a worker is to do, once it says that it listens to orders. */
export interface Start {
  readonly _tag: "Start"
  /** 1 for the first; the worker that takes the place of another has its number. */
  readonly number: number
  /** Never 0: all workers must have the same. */
  readonly port: number
  /** Not read again by each worker: what is there may have changed since the primary checked it. */
  readonly sources: Sources
}

/** What the primary tells a worker. */
export type Order = Start | { readonly _tag: "Ping" } | { readonly _tag: "Reopen" }

/** What a worker tells the primary. */
export type Report =
  | { readonly _tag: "Awake" }
  | { readonly _tag: "Ready"; readonly url: string }
  | { readonly _tag: "Pong" }
