/** Which paths below the MCP path all servers interpret in the same way. Pure. */

// Visible ASCII, without what some server on the way to the tool might interpret differently: backslash, `;`, an
// encoded slash, backslash, dot, percent sign or control character, an empty segment, a dot segment.
const plain = /^(?:\/(?:[!$&-.0-:=@A-Z[\]_a-z~]|%(?![01]|2[5ef]|5c|7f)[0-9a-f]{2})*)*$/i
const emptyOrDotSegment = /\/(?:\/|\.{1,2}(?:\/|$))/
const encodedBeyondAscii = /%[89a-f]/i

// Written as ranges, because not every engine supports Unicode properties. The ranges are: C1 controls; invisible and
// directional characters; line separators; look-alikes of dots, slashes, backslashes and percent signs, which
// normalisation (NFKC), best-fit code pages or host names convert to the ASCII characters; replacement characters.
const misleading =
  // oxlint-disable-next-line eslint/no-misleading-character-class -- each code point is meant to match alone
  /[\u0080-\u009f\u00ad\u034f\u061c\u06d4\u0701\u0702\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2024-\u202e\u2044\u2060-\u206f\u2100\u2101\u2105\u2106\u2215\u2216\u29f5\u29f8\u29f9\u3002\u3164\ua4f8\ua60e\ufdd0-\ufdef\ufe12\ufe19\ufe30\ufe52\ufe54\ufe5f\ufe68\ufe6a\ufeff\uff03\uff05\uff0e\uff0f\uff1b\uff1f\uff3c\uff61\uffa0\ufff0-\uffff]/

/**
 * Returns whether percent-encoded characters beyond ASCII are UTF-8 in its shortest form, without misleading
 * characters.
 */
const isPlainText = (rest: string): boolean => {
  try {
    // `decodeURIComponent` throws for overlong forms, lone surrogates and other bytes that are not UTF-8.
    return !misleading.test(decodeURIComponent(rest))
  } catch {
    return false
  }
}

/**
 * Returns whether the part of the path after the MCP path may be forwarded to the MCP server: no server could decode,
 * normalise or truncate it to another path.
 *
 * @see RFC 3986, sections 3.3 and 6.2.2; RFC 3629, section 10
 */
export const isPlainRest = (rest: string): boolean =>
  rest === "" || rest === "/" ||
  (plain.test(rest) && !emptyOrDotSegment.test(rest) && (!encodedBeyondAscii.test(rest) || isPlainText(rest)))
