/** A strict parser of `WWW-Authenticate`: exactly one challenge, as defined by RFC 9110, section 11. */

export interface Challenge {
  readonly scheme: string
  /** Lower-case names, in order of appearance. */
  readonly parameters: ReadonlyMap<string, string>
}

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
// Without obs-text: RFC 6750, section 3, permits ASCII only.
const quoted = /"((?:[\t !\x23-\x5b\x5d-\x7e]|\\[\t \x21-\x7e])*)"/y
const comma = /[ \t]*,[ \t]*/y
const equals = /=/y
const spaces = / +/y

/** Parses one challenge with parameters. Throws, with the position, on any other text. */
export const parseChallenge = (value: string): Challenge => {
  let at = 0
  const take = (pattern: RegExp, what: string): RegExpExecArray => {
    pattern.lastIndex = at
    const found = pattern.exec(value)
    if (found === null) throw new Error(`${what} expected at ${at} of ${JSON.stringify(value)}`)
    at = pattern.lastIndex
    return found
  }

  const scheme = take(token, "auth-scheme")[0]
  const parameters = new Map<string, string>()
  if (at === value.length) return { scheme, parameters }
  take(spaces, "space")
  for (;;) {
    const name = take(token, "parameter name")[0].toLowerCase()
    take(equals, "=")
    const text = value[at] === "\""
      ? (take(quoted, "quoted-string")[1] ?? "").replace(/\\(.)/g, "$1")
      : take(token, "parameter value")[0]
    if (parameters.has(name)) throw new Error(`${name} repeated in ${JSON.stringify(value)}`)
    parameters.set(name, text)
    if (at === value.length) return { scheme, parameters }
    take(comma, "comma")
  }
}
