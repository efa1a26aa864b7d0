/**
 * Compares member names like all parsers that may read them after the gateway.
 *
 * Some parsers compare names without regard to case, some with Unicode's folding (Go's `encoding/json`:
 * CVE-2026-27896), some end a name at U+0000. A name that such a parser treats as the same is a variant of it.
 */
import { escapedCodeUnit } from "./jsonLexemes.ts"
import type { JsonScanner } from "./scanJson.ts"

/** A text to compare with, usually a name. Printable ASCII. */
export interface KnownName {
  readonly exact: Uint8Array
  readonly folded: Uint8Array
}

export const knownName = (name: string): KnownName => {
  const exact = new TextEncoder().encode(name)
  return { exact, folded: exact.map(fold) }
}

/** `Exact`: the same text, with escapes resolved. `Variant`: the same text only for a lenient parser. */
export type NameMatch = "None" | "Exact" | "Variant"

/**
 * Maps code points whose lower or upper case is an ASCII letter to that letter in lower case. Includes ASCII itself.
 */
export const fold = (codePoint: number): number => {
  if (codePoint >= 0x41 && codePoint <= 0x5a) return codePoint + 0x20
  switch (codePoint) {
    case 0x130: // capital I with dot
    case 0x131: // dotless i
      return 0x69
    case 0x17f: // long s
      return 0x73
    case 0x212a: // Kelvin sign
      return 0x6b
    default:
      return codePoint
  }
}

/** Compares the scanner's last token, a `Name` or `String`, with a known text. Reads no more bytes than necessary. */
export const matchName = (bytes: Uint8Array, scanner: JsonScanner, known: KnownName): NameMatch =>
  // Nearly all names differ in length.
  scanner.plain && scanner.end - scanner.start - 2 !== known.exact.length ? "None" : compare(bytes, scanner, known)

const compare = (bytes: Uint8Array, scanner: JsonScanner, { exact, folded }: KnownName): NameMatch => {
  const end = scanner.end - 1
  let at = scanner.start + 1
  let isExact = true
  for (let index = 0; index < exact.length; index++) {
    if (at >= end) return "None"
    const byte = bytes[at] ?? 0
    let codePoint = byte
    if (byte === 0x5c) {
      codePoint = escapedCodeUnit(bytes, at)
      at += bytes[at + 1] === 0x75 ? 6 : 2
    } else if (byte < 0x80) {
      at++
    } else if (byte < 0xe0) {
      codePoint = ((byte & 0x1f) << 6) | continuation(bytes, at + 1)
      at += 2
    } else if (byte < 0xf0) {
      codePoint = ((byte & 0x0f) << 12) | (continuation(bytes, at + 1) << 6) | continuation(bytes, at + 2)
      at += 3
    } else {
      return "None"
    }
    if (codePoint === exact[index]) continue
    if (fold(codePoint) !== folded[index]) return "None"
    isExact = false
  }
  if (at >= end) return isExact ? "Exact" : "Variant"
  return bytes[at] === 0x5c && escapedCodeUnit(bytes, at) === 0 ? "Variant" : "None"
}

const continuation = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) & 0x3f
