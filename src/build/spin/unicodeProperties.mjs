const hex = (codePoint) => `\\u{${codePoint.toString(16)}}`

/** Unicode properties of one name as the members of a character class. */
const members = (property) => {
  const matches = new RegExp(`^\\p{${property}}$`, "u")
  let ranges = ""
  let first
  for (let codePoint = 0; codePoint <= 0x110000; codePoint++) {
    const matched = codePoint < 0x110000 && matches.test(String.fromCodePoint(codePoint))
    if (matched) first ??= codePoint
    else if (first !== undefined) {
      ranges += first === codePoint - 1 ? hex(first) : `${hex(first)}-${hex(codePoint - 1)}`
      first = undefined
    }
  }
  return ranges
}

/** Whether an offset in a regular expression lies within a character class: the bracket before it is an opening one. */
const inClass = (text, offset) => {
  for (let at = offset - 1; at >= 0; at--) {
    if ((text[at] === "[" || text[at] === "]") && text[at - 1] !== "\\") return text[at] === "["
  }
  return false
}

/**
 * Spells out `\p{…}` in the regular expressions of a bundle, as this Node knows Unicode: the component's engine has no
 * Unicode tables and rejects the whole script.
 */
export const spellOutProperties = (bundle) => {
  const known = new Map()
  return bundle.replaceAll(/\\p\{(\w+)\}/g, (_, property, offset) => {
    if (!known.has(property)) known.set(property, members(property))
    const ranges = known.get(property)
    return inClass(bundle, offset) ? ranges : `[${ranges}]`
  })
}
