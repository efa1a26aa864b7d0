/** The events between a key cache, its provider and its callers, which the requirements check. */

/** A value from this time until the next entry. Times are in milliseconds since 1970. */
export interface Since<A> {
  readonly at: number
  readonly value: A
}

/** A request to the provider for its key set. */
export interface Fetch {
  /** The instance that sent the request. A restarted instance has another number. */
  readonly instance: number
  readonly from: number
  /** When the request ended; `undefined` if it never did. */
  readonly to: number | undefined
  /** Whether the response was the key set. */
  readonly good: boolean
  /** How many requests of the same instance were waiting when this one was sent. */
  readonly others: number
  /** The name of the material of each usable `kid` of the set. */
  readonly set: ReadonlyMap<string, string>
  /** How long the set may be used, within the bounds. */
  readonly freshMillis: number
}

export type Outcome =
  /** A key, with the name of its material; `undefined` if the provider never published it. */
  | { readonly _tag: "Key"; readonly name: string | undefined }
  | { readonly _tag: "UnknownKey" }
  | { readonly _tag: "KeysUnavailable" }
  /** Neither a key nor a typed failure. */
  | { readonly _tag: "Defect"; readonly text: string }
  /** No result within `contract.fetch` and considerably longer. */
  | { readonly _tag: "Silence" }

/** One call of `keyFor`. */
export interface Ask {
  readonly instance: number
  readonly kid: string
  readonly from: number
  readonly to: number
  /** How many fetches had been made before. */
  readonly fetchesBefore: number
  readonly outcome: Outcome
}

/** One call of `phase`. */
export interface Report {
  readonly instance: number
  readonly at: number
  readonly phase: string
  readonly usable: boolean
}

export interface History {
  readonly start: number
  readonly asks: ReadonlyArray<Ask>
  readonly reports: ReadonlyArray<Report>
  readonly fetches: ReadonlyArray<Fetch>
  /** The usable published keys: material by `kid`. */
  readonly sets: ReadonlyArray<Since<ReadonlyMap<string, string>>>
  /** Whether the provider is healthy. */
  readonly health: ReadonlyArray<Since<boolean>>
  /** Requests to the target of a redirect. */
  readonly redirected: number
  /** Bytes of oversized bodies that were read, beyond the set. */
  readonly bytesRead: number
}

/** Returns the values that something had within a period. */
export const within = <A>(entries: ReadonlyArray<Since<A>>, from: number, to: number): ReadonlyArray<A> =>
  entries.flatMap(({ at, value }, index) => {
    const end = entries[index + 1]?.at ?? Number.POSITIVE_INFINITY
    return at <= to && end > from ? [value] : []
  })

/** Whether the provider was healthy for the whole period. */
export const healthyWithin = ({ health }: History, from: number, to: number): boolean =>
  within(health, from, to).every((healthy) => healthy)

/** Returns the material that was published under a `kid` for the whole period, if it was only one. */
export const publishedWithin = (history: History, kid: string, from: number, to: number): string | undefined => {
  const [first, ...rest] = within(history.sets, from, to).map((set) => set.get(kid))
  return rest.every((name) => name === first) ? first : undefined
}

/** Returns the fetches of one instance, oldest first. */
export const fetchesOf = ({ fetches }: History, instance: number): ReadonlyArray<Fetch> =>
  fetches.filter((fetch) => fetch.instance === instance)

export const instancesOf = ({ fetches }: History): ReadonlyArray<number> => [
  ...new Set(fetches.map(({ instance }) => instance))
]

/** Returns when a fetched set expires. */
export const endOf = ({ freshMillis, from, to }: Fetch): number => (to ?? from) + freshMillis

/** Returns the last successful fetch of an instance that had ended by the given time. */
export const lastGood = (history: History, instance: number, by: number): Fetch | undefined =>
  fetchesOf(history, instance).findLast(({ good, to }) => good && to !== undefined && to <= by)
