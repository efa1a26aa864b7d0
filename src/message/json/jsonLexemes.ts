/**
 * The smallest parts of a JSON text: numbers, literals, escapes and UTF-8 sequences (RFC 8259, sections 3, 6 and 7;
 * RFC 3629, section 4).
 *
 * The functions may read past the end of the bytes: `undefined` matches no rule.
 */

/**
 * The states of a number. 0 is the state before the number as an argument of `numberStep`, and the state after it as a
 * result.
 */
const numberRules: ReadonlyArray<readonly [from: number, bytes: string, to: number]> = [
  [0, "-", 1],
  [0, "0", 2],
  [0, "123456789", 3],
  [1, "0", 2],
  [1, "123456789", 3],
  [2, ".", 4],
  [2, "eE", 6],
  [3, "0123456789", 3],
  [3, ".", 4],
  [3, "eE", 6],
  [4, "0123456789", 5],
  [5, "0123456789", 5],
  [5, "eE", 6],
  [6, "+-", 7],
  [6, "0123456789", 8],
  [7, "0123456789", 8],
  [8, "0123456789", 8]
]

/**
 * The next state of a number, at index `state << 8 | byte`; 0 if the byte is not part of the number.
 *
 * The caller checks what follows a number (`01` is the number `0` followed by a `1`).
 */
export const numberStep: Uint8Array = new Uint8Array(9 << 8)
for (const [from, bytes, to] of numberRules) {
  for (const byte of bytes) numberStep[(from << 8) | byte.charCodeAt(0)] = to
}

export const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39

/** Whether a number may end in this state, and whether further digits leave the state unchanged. */
export const isNumber = (state: number): boolean => state === 2 || state === 3 || state === 5 || state === 8
export const mayRepeat = (state: number): boolean => state === 3 || state === 5 || state === 8

/** Returns the length of the literal that begins with this byte; 0 if none does. */
export const lengthOfLiteral = (byte: number): number => {
  switch (byte) {
    case 0x74:
    case 0x6e:
      return 4
    case 0x66:
      return 5
    default:
      return 0
  }
}

/** Returns whether there is a `true`, `false` or `null` at `at`. */
export const isLiteral = (bytes: Uint8Array, at: number): boolean => {
  const b = bytes[at + 1]
  const c = bytes[at + 2]
  const d = bytes[at + 3]
  switch (bytes[at]) {
    case 0x74:
      return b === 0x72 && c === 0x75 && d === 0x65
    case 0x6e:
      return b === 0x75 && c === 0x6c && d === 0x6c
    case 0x66:
      return b === 0x61 && c === 0x6c && d === 0x73 && bytes[at + 4] === 0x65
    default:
      return false
  }
}

const hexDigit = (byte: number | undefined): number => {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

/** Returns the UTF-16 code unit of the escape whose backslash is at `at`; -1 if it is not an escape. */
export const escapedCodeUnit = (bytes: Uint8Array, at: number): number => {
  switch (bytes[at + 1]) {
    case 0x22:
      return 0x22
    case 0x5c:
      return 0x5c
    case 0x2f:
      return 0x2f
    case 0x62:
      return 0x08
    case 0x66:
      return 0x0c
    case 0x6e:
      return 0x0a
    case 0x72:
      return 0x0d
    case 0x74:
      return 0x09
    case 0x75: {
      const a = hexDigit(bytes[at + 2])
      const b = hexDigit(bytes[at + 3])
      const c = hexDigit(bytes[at + 4])
      const d = hexDigit(bytes[at + 5])
      return a < 0 || b < 0 || c < 0 || d < 0 ? -1 : (a << 12) | (b << 8) | (c << 4) | d
    }
    default:
      return -1
  }
}

/** Returns the end of the escape at `at`, treating a surrogate pair as one escape; -1 if it is not an escape. */
export const endOfEscape = (bytes: Uint8Array, at: number): number => {
  const unit = escapedCodeUnit(bytes, at)
  if (unit < 0) return -1
  if (bytes[at + 1] !== 0x75) return at + 2
  if (unit < 0xd800 || unit > 0xdbff || bytes[at + 6] !== 0x5c) return at + 6
  const second = escapedCodeUnit(bytes, at + 6)
  return second >= 0xdc00 && second <= 0xdfff ? at + 12 : at + 6
}

/**
 * Returns the end of a run of multi-byte sequences that begins at `at`; -1 if there is none. Only shortest forms are
 * allowed, no surrogates, and nothing above U+10FFFF.
 */
export const endOfUtf8 = (bytes: Uint8Array, at: number): number => {
  const { length } = bytes
  let end = at
  for (;;) {
    // Never read past the end: V8 would make all later reads slow.
    const second = end + 1 < length ? bytes[end + 1] ?? 0 : 0
    const third = end + 2 < length ? bytes[end + 2] ?? 0 : 0
    const fourth = end + 3 < length ? bytes[end + 3] ?? 0 : 0
    const size = end < length ? sizeOfSequence(bytes[end] ?? 0, second, third, fourth) : 0
    if (size === 0) return end === at ? -1 : end
    end += size
  }
}

const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80

/** Returns the length of the sequence that begins with these bytes; 0 if it is invalid. */
const sizeOfSequence = (first: number, second: number, third: number, fourth: number): number => {
  if (first < 0xc2 || !isContinuation(second)) return 0
  if (first < 0xe0) return 2
  if (!isContinuation(third)) return 0
  if (first < 0xf0) return (first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f) ? 0 : 3
  if (!isContinuation(fourth) || first > 0xf4) return 0
  return (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f) ? 0 : 4
}
