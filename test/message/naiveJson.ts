/** A small JSON parser, and the ways in which servers look up a member: none of this knows the gateway's own code. */

export type Value = string | number | boolean | null | ReadonlyArray<Value> | Entries

/** An object with all its members, repeated ones included. */
export interface Entries {
  readonly entries: ReadonlyArray<readonly [name: string, value: Value]>
}

export const isEntries = (value: Value | undefined): value is Entries =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Parses valid JSON by recursive descent. */
export const parseEntries = (text: string): Value => {
  const token = /\s*("(?:[^"\\]|\\.)*"|[-+.\w]+|[[\]{},:])/suy
  let peeked: string | undefined
  const next = (): string => {
    const taken = peeked ?? token.exec(text)?.[1]
    peeked = undefined
    if (taken === undefined) throw new Error(`no token at ${token.lastIndex}`)
    return taken
  }
  const peek = (): string => peeked = next()
  const list = <A>(close: string, item: () => A): ReadonlyArray<A> => {
    const items: Array<A> = []
    if (peek() === close) {
      next()
      return items
    }
    do items.push(item())
    while (next() === ",")
    return items
  }
  const value = (): Value => {
    const first = next()
    if (first === "[") return list("]", value)
    if (first === "{") {
      return {
        entries: list("}", () => {
          const name: string = JSON.parse(next())
          next()
          return [name, value()] as const
        })
      }
    }
    return JSON.parse(first)
  }
  return value()
}

/** Whether a parser that ignores case, as Unicode folds it, takes `name` for `wanted`. */
export const sameFolded = (name: string, wanted: string): boolean => new RegExp(`^${wanted}$`, "iu").test(name)

export type Lookup = (object: Entries, wanted: string) => Value | undefined

/** First wins, last wins, and last wins without regard to case (Go). */
export const lookups: ReadonlyArray<Lookup> = [
  ({ entries }, wanted) => entries.find(([name]) => name === wanted)?.[1],
  ({ entries }, wanted) => entries.findLast(([name]) => name === wanted)?.[1],
  ({ entries }, wanted) => entries.findLast(([name]) => sameFolded(name, wanted))?.[1]
]

/** All values that a member named `wanted` (folded) has, at any depth. */
export const valuesOf = (value: Value, wanted: string): ReadonlyArray<Value> => {
  if (Array.isArray(value)) return value.flatMap((item: Value) => valuesOf(item, wanted))
  if (!isEntries(value)) return []
  return value.entries.flatMap(([name, member]) => [
    ...sameFolded(name, wanted) ? [member] : [],
    ...valuesOf(member, wanted)
  ])
}

/** The text without the white space between its tokens. */
export const compact = (text: string): string =>
  text.replace(/("(?:[^"\\]|\\.)*")|\s+/gsu, (_, string: string | undefined) => string ?? "")
