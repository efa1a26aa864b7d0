/**
 * Scans the text of an expression before it is parsed. Common mistakes by people who do not know CEL get their own
 * messages, with the position. Nesting is limited, because the parser is recursive.
 */

/** The problem of an expression, and its position in characters, from 1. */
export interface Problem {
  readonly position: number
  readonly problem: string
}

/** The maximum number of nested brackets. */
const maxNesting = 32

const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" }
const isClosing = (character: string): boolean => character === ")" || character === "]" || character === "}"

const token =
  /\s+|\/\/[^\n]*|(?<prefix>[rRbB]{0,2})(?<quote>"""|'''|"|')|(?<word>[A-Za-z_]\w*)|(?<number>\d[\w.]*|\.\d\w*)|(?<operator>===|!==|<>|&&|\|\||[=!<>]=|.)/gsuy

/** Operators of other languages, and their counterparts in CEL. */
const instead: Readonly<Record<string, string>> = {
  "=": "==",
  "===": "==",
  "!==": "!=",
  "<>": "!=",
  "&": "&&",
  "|": "||",
  "and": "&&",
  "or": "||",
  "not": "!"
}
const words = new Set(["and", "or", "not"])
const known = new Set([..."+-*/%<>!?:.,()[]{}", "&&", "||", "==", "!=", "<=", ">="])

const escape = /\\(?:[abfnrtv\\?"'`]|[xX][\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-3][0-7]{2})/y

/** Returns the end of the string that begins at `start`, after its closing quote, or its problem. */
const endOfString = (text: string, start: number, quote: string, isRaw: boolean): number | Problem => {
  let index = start
  while (index < text.length) {
    if (text.startsWith(quote, index)) return index + quote.length
    if (quote.length === 1 && (text[index] === "\n" || text[index] === "\r")) break
    if (text[index] !== "\\" || isRaw) {
      index++
      continue
    }
    escape.lastIndex = index
    const [escaped] = escape.exec(text) ?? []
    if (escaped === undefined) {
      return {
        position: index + 1,
        problem: `this escape is not known; write \\\\ for a backslash, or r'…' for a pattern`
      }
    }
    index += escaped.length
  }
  return { position: start - quote.length + 1, problem: "the string that begins here has no closing quote" }
}

/** Finds characters that no expression can contain; `undefined` if there are none. */
export const scan = (text: string): Problem | undefined => {
  const open: Array<readonly [bracket: string, position: number]> = []
  let before = ""
  token.lastIndex = 0
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const { number, operator, prefix = "", quote, word } = match.groups ?? {}
    const position = match.index + 1
    if (quote !== undefined) {
      const end = endOfString(text, token.lastIndex, quote, /r/i.test(prefix))
      if (typeof end !== "number") return end
      token.lastIndex = end
      before = quote
      continue
    }
    const lower = word?.toLowerCase()
    if (lower !== undefined && words.has(lower) && before !== "." && !/^\s*[.(]/.test(text.slice(token.lastIndex))) {
      return { position, problem: `write ${instead[lower] ?? ""} for ${word ?? ""}` }
    }
    if (operator !== undefined) {
      const meant = instead[operator]
      if (meant !== undefined) return { position, problem: `write ${meant} for ${operator}` }
      if (operator === "`") return { position, problem: "write ['…'] for a member in backquotes" }
      if (!known.has(operator)) return { position, problem: "this character is not part of CEL" }
      if (closing[operator] !== undefined && open.push([operator, position]) > maxNesting) {
        return { position, problem: `brackets are nested more than ${maxNesting} times` }
      }
      if (isClosing(operator)) {
        const [bracket, opened] = open.pop() ?? []
        if (bracket === undefined) return { position, problem: `there is no opening bracket for this ${operator}` }
        if (closing[bracket] !== operator) {
          return { position, problem: `${operator} does not close ${bracket} at position ${opened ?? 0}` }
        }
      }
    }
    before = word ?? number ?? operator ?? before
  }
  const [bracket, position] = open.pop() ?? []
  return bracket === undefined || position === undefined
    ? undefined
    : { position, problem: `${bracket} is not closed by ${closing[bracket] ?? ""}` }
}
