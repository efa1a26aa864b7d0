/** Which paths below the MCP path every server reads in the same way. Pure. */

// Visible ASCII without what some server between here and the tool might read differently: backslash, `;`, an encoded
// slash, backslash, dot, percent sign or control character, an empty segment, a dot segment.
const plain = /^(?:\/(?:[!$&-.0-:=@A-Z[\]_a-z~]|%(?![01]|2[5ef]|5c|7f)[0-9a-f]{2})*)*$/i
const emptyOrDotSegment = /\/(?:\/|\.{1,2}(?:\/|$))/
const encodedBeyondAscii = /%[89a-f]/i

// As ranges: not every engine has the properties of Unicode. Controls of the upper half, invisible and directional
// characters, line separators; dots, slashes, backslashes, percent signs and the like in other widths and scripts, to
// which normalisation (NFKC), best-fit tables of code pages or names of hosts reduce them; replacements of malformed
// text.
const misleading =
  // oxlint-disable-next-line eslint/no-misleading-character-class -- each code point is meant for itself
  /[\u0080-\u009f\u00ad\u034f\u061c\u06d4\u0701\u0702\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2024-\u202e\u2044\u2060-\u206f\u2100\u2101\u2105\u2106\u2215\u2216\u29f5\u29f8\u29f9\u3002\u3164\ua4f8\ua60e\ufdd0-\ufdef\ufe12\ufe19\ufe30\ufe52\ufe54\ufe5f\ufe68\ufe6a\ufeff\uff03\uff05\uff0e\uff0f\uff1b\uff1f\uff3c\uff61\uffa0\ufff0-\uffff]/

/** Returns whether percent-encoded characters beyond ASCII are UTF-8 in its shortest form, without characters that mislead readers. */
const isPlainText = (rest: string): boolean => {
  try {
    // Throws for overlong forms, halves of surrogates and other bytes that are not UTF-8.
    return !misleading.test(decodeURIComponent(rest))
  } catch {
    return false
  }
}

/**
 * Returns whether the rest of the path, after the MCP path, may be forwarded to the MCP server.
 *
 * It may be forwarded if no server could decode, normalise or truncate it to another path.
 *
 * @see RFC 3986, sections 3.3 and 6.2.2; RFC 3629, section 10
 */
export const isPlainRest = (rest: string): boolean =>
  rest === "" || rest === "/" ||
  (plain.test(rest) && !emptyOrDotSegment.test(rest) && (!encodedBeyondAscii.test(rest) || isPlainText(rest)))
