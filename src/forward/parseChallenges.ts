/** Parses `WWW-Authenticate`, which may contain several challenges. Pure. */

export interface ReceivedChallenge {
  /** The scheme, in lower case. */
  readonly scheme: string
  /** Parameters by their names in lower case; empty for a challenge without parameters, or with a `token68` instead. */
  readonly parameters: ReadonlyMap<string, string>
}

// Each pattern is tried at one position only, and has no two repetitions that could match the same characters, so that
// parsing takes linear time.
const separators = /[ \t,]*/y
const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const spaces = / +/y
const equals = /[ \t]*=[ \t]*/y
const quoted = /"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"/y
// A token, or a value that servers write without the required quotes, such as `scope=files:read`.
const bare = /[\x21\x23-\x2b\x2d-\x3a\x3c\x3e-\x7e][\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]*/y
const token68 = /[A-Za-z0-9\-._~+/]+=*/y
const endOfElement = /[ \t]*(?:,|$)/y

/** Reads a field's value from left to right. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found === null) return undefined
    this.#at = pattern.lastIndex
    return found
  }

  /** Consumes nothing if `read` returns `undefined`. */
  attempt<A>(read: () => A | undefined): A | undefined {
    const begun = this.#at
    const found = read()
    if (found === undefined) this.#at = begun
    return found
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }
}

/** `name = value`, to the end of its list element. */
const parameter = (reader: Reader): readonly [name: string, value: string] | undefined =>
  reader.attempt(() => {
    const name = reader.take(token)?.[0].toLowerCase()
    if (name === undefined || reader.take(equals) === undefined) return undefined
    const value = reader.take(quoted)?.[1]?.replace(/\\(.)/g, "$1") ?? reader.take(bare)?.[0]
    return value === undefined || reader.take(endOfElement) === undefined ? undefined : [name, value]
  })

/** Parses one line of the field; `undefined` if it violates the grammar, or repeats a parameter. */
const parseLine = (text: string): ReadonlyArray<ReceivedChallenge> | undefined => {
  const reader = new Reader(text)
  const challenges: Array<{ readonly scheme: string; readonly parameters: Map<string, string> }> = []
  const add = (found: readonly [name: string, value: string]): boolean => {
    const parameters = challenges.at(-1)?.parameters
    if (parameters === undefined || parameters.has(found[0])) return false
    parameters.set(...found)
    return true
  }
  for (reader.take(separators); !reader.isAtEnd; reader.take(separators)) {
    const more = parameter(reader)
    if (more !== undefined) {
      if (!add(more)) return undefined
      continue
    }
    const scheme = reader.take(token)?.[0].toLowerCase()
    if (scheme === undefined) return undefined
    challenges.push({ scheme, parameters: new Map() })
    if (reader.take(endOfElement) !== undefined) continue
    if (reader.take(spaces) === undefined) return undefined
    const first = parameter(reader)
    if (first !== undefined) add(first)
    else if (reader.take(token68) === undefined || reader.take(endOfElement) === undefined) return undefined
  }
  return challenges
}

/**
 * Reads the challenges of a response: several in one line, and several lines.
 *
 * A value without its quotes is read to the next comma. Returns `undefined` if a line violates the grammar, or repeats
 * a parameter within a challenge: such a field is ambiguous.
 *
 * @param field the value of `WWW-Authenticate`; an array if it was repeated
 * @see RFC 9110, sections 11.3, 11.6.1 and 5.6.1
 */
export const parseChallenges = (
  field: string | ReadonlyArray<string>
): ReadonlyArray<ReceivedChallenge> | undefined => {
  const lines = [field].flat().map(parseLine)
  const challenges: Array<ReceivedChallenge> = []
  for (const line of lines) {
    if (line === undefined) return undefined
    challenges.push(...line)
  }
  return challenges
}
