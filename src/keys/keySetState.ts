/** The state of a source's cached keys, for operators. Pure. */
import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import { show } from "../errors/show.ts"
import type { Inspected } from "../remote/Inspected.ts"
import type { Phase } from "../remote/remoteState.ts"
import type { KeysUnavailable } from "./JwksSource.ts"
import type { KeySet } from "./KeySet.ts"

/** A key set, without its key material. Times are milliseconds from now, negative in the past. */
export interface KeySetState {
  /** The issuer, or the URL of the keys. */
  readonly source: string
  readonly phase: Phase
  readonly keys: ReadonlyArray<{ readonly kid?: string; readonly algorithms: ReadonlyArray<string> }>
  /** Members that cannot be used, by `kid` or position, with the reason. Keys for encryption are not among them. */
  readonly skipped: ReadonlyArray<{ readonly name: string; readonly reason: string }>
  readonly fetchedIn?: number
  readonly freshUntilIn?: number
  /** When the next fetch is due: in the background if keys are used then, or again after a failure. */
  readonly nextFetchIn?: number
  /** The number of failed fetches since the last successful one, and why the last of them failed. */
  readonly failures: number
  readonly lastFailure?: string
}

/** Describes the cached state of a source. */
export const keySetState = (
  source: string,
  { failures, fetchedIn, freshUntilIn, lastFailure, nextFetchIn, phase, value }: Inspected<
    { readonly set: KeySet },
    KeysUnavailable
  >
): KeySetState => {
  const failure = lastFailure && Option.getOrUndefined(Cause.findErrorOption(lastFailure))?.detail
  return {
    source,
    phase,
    keys: (value?.set.keys ?? []).map(({ algorithms, kid }) =>
      kid === undefined ? { algorithms } : { kid, algorithms }
    ),
    skipped: (value?.set.skipped ?? []).filter(({ reason }) => reason !== "ForEncryption").map((
      { index, kid, reason }
    ) => ({ name: kid === undefined ? `#${index}` : show(kid), reason })),
    ...(fetchedIn === undefined ? {} : { fetchedIn }),
    ...(freshUntilIn === undefined ? {} : { freshUntilIn }),
    ...(nextFetchIn === undefined ? {} : { nextFetchIn }),
    failures,
    ...(lastFailure === undefined ? {} : { lastFailure: failure ?? "an internal fault" })
  }
}
