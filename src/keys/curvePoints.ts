/**
 * Checks that the coordinates of a public key are a point on its curve, and not one of small order. Pure.
 *
 * Runtimes differ in what they check on import: some accept any 32 octets as an Ed25519 key. Sources: SP 800-186,
 * sections 3.2.1 and 4.2; SP 800-56A, section 5.6.2.3.3; RFC 8032, sections 5.1 and 5.1.3.
 */
import { powerModulo, toInteger } from "./integers.ts"

export type PointProblem =
  | "NotOnCurve"
  /** Points of small order have at most eight multiples, so anyone can forge signatures for them. */
  | "SmallOrder"

interface PrimeCurve {
  readonly p: bigint
  readonly b: bigint
}

/** y² = x³ - 3x + b modulo p. All points have the same prime order. */
const primeCurves: Readonly<Record<"P-256" | "P-384" | "P-521", PrimeCurve>> = {
  "P-256": {
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn
  },
  "P-384": {
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn
  },
  "P-521": {
    p: 2n ** 521n - 1n,
    b: 0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n
  }
}

/** Checks a point of a NIST curve, with big-endian coordinates; returns the problem, if any. */
export const primeCurveProblem = (
  crv: keyof typeof primeCurves,
  xOctets: Uint8Array,
  yOctets: Uint8Array
): PointProblem | undefined => {
  const { b, p } = primeCurves[crv]
  const x = toInteger(xOctets)
  const y = toInteger(yOctets)
  const isOn = x < p && y < p && (y * y - (x * x * x - 3n * x + b)) % p === 0n
  return isOn ? undefined : "NotOnCurve"
}

const p25519 = 2n ** 255n - 19n
const d25519 = 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n

/** The y coordinate of two of the points of order 8; the other two have its negative. */
const orderEight = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n

/** The y coordinates of all points whose order divides 8: orders 4, 1, 2 and 8, for both signs of x. */
const smallOrders: ReadonlySet<bigint> = new Set([0n, 1n, p25519 - 1n, orderEight, p25519 - orderEight])

/**
 * Checks a point of edwards25519 in its encoding of 32 octets; returns the problem, if any.
 *
 * An encoding that is not the shortest one of its point (y of p or more) is rejected, too.
 */
export const edwardsProblem = (encoded: Uint8Array): PointProblem | undefined => {
  const y = toInteger(encoded.toReversed()) & (2n ** 255n - 1n)
  if (smallOrders.has(y % p25519)) return "SmallOrder"
  if (y >= p25519) return "NotOnCurve"
  // x² = u/v has a root if and only if uv is a square (Euler's criterion).
  const square = y * y
  const uv = (square - 1n) * (d25519 * square + 1n) % p25519
  return powerModulo(uv, (p25519 - 1n) / 2n, p25519) === 1n ? undefined : "NotOnCurve"
}
