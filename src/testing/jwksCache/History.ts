/** What happened between a key cache, its provider and its callers: what the requirements check. */

/** Holds from then to the next entry. Times are in milliseconds since 1970. */
export interface Since<A> {
  readonly at: number
  readonly value: A
}

/** One question to the provider for its key set. */
export interface Fetch {
  /** Which instance asked; one that is started anew is another. */
  readonly instance: number
  readonly from: number
  /** When it was answered or given up, `undefined` if it never was. */
  readonly to: number | undefined
  /** It was answered with the key set. */
  readonly good: boolean
  /** How many questions of the same instance were waiting for an answer when it came. */
  readonly others: number
  /** The name of the material of each usable `kid` of the set. */
  readonly set: ReadonlyMap<string, string>
  /** How long the set may be used, after its bounds. */
  readonly freshMillis: number
}

export type Outcome =
  /** A key. `name`: of its material, `undefined` if the provider never published it. */
  | { readonly _tag: "Key"; readonly name: string | undefined }
  | { readonly _tag: "UnknownKey" }
  | { readonly _tag: "KeysUnavailable" }
  /** Neither a key nor a typed failure. */
  | { readonly _tag: "Defect"; readonly text: string }
  /** Nothing within `contract.fetch` and a good deal more. */
  | { readonly _tag: "Silence" }

/** One call of `keyFor`. */
export interface Ask {
  readonly instance: number
  readonly kid: string
  readonly from: number
  readonly to: number
  /** How many fetches there had been. */
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
  /** The usable keys that are published: material by `kid`. */
  readonly sets: ReadonlyArray<Since<ReadonlyMap<string, string>>>
  /** Whether the provider answers. */
  readonly health: ReadonlyArray<Since<boolean>>
  /** Requests to where a redirect leads. */
  readonly redirected: number
  /** Bytes of oversized bodies that were taken, beyond the set. */
  readonly bytesRead: number
}

/** The values that something had within a time. */
export const within = <A>(entries: ReadonlyArray<Since<A>>, from: number, to: number): ReadonlyArray<A> =>
  entries.flatMap(({ at, value }, index) => {
    const end = entries[index + 1]?.at ?? Number.POSITIVE_INFINITY
    return at <= to && end > from ? [value] : []
  })

/** Says whether the provider has answered all the time. */
export const healthyWithin = ({ health }: History, from: number, to: number): boolean =>
  within(health, from, to).every((healthy) => healthy)

/** The material that was published under a `kid` all the time, if it was one. */
export const publishedWithin = (history: History, kid: string, from: number, to: number): string | undefined => {
  const [first, ...rest] = within(history.sets, from, to).map((set) => set.get(kid))
  return rest.every((name) => name === first) ? first : undefined
}

/** The fetches of one instance, oldest first. */
export const fetchesOf = ({ fetches }: History, instance: number): ReadonlyArray<Fetch> =>
  fetches.filter((fetch) => fetch.instance === instance)

export const instancesOf = ({ fetches }: History): ReadonlyArray<number> => [
  ...new Set(fetches.map(({ instance }) => instance))
]

/** When a set that was fetched ends. */
export const endOf = ({ freshMillis, from, to }: Fetch): number => (to ?? from) + freshMillis

/** The last good fetch of an instance that was over by then. */
export const lastGood = (history: History, instance: number, by: number): Fetch | undefined =>
  fetchesOf(history, instance).findLast(({ good, to }) => good && to !== undefined && to <= by)
