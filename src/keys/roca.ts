/**
 * RSA moduli of a library that generated guessable primes (CVE-2017-15361, "ROCA"). Pure.
 *
 * Its primes are a power of 65537 modulo the product of the first primes, and so is the modulus, modulo each of these
 * primes. Source: Nemec, Sys, Svenda, Klinec, Matyas: The Return of Coppersmith's Attack, CCS 2017, section 2.2.
 */

/** The odd primes of the smallest such product, 2 to 167. */
const primes = Array.from({ length: 166 }, (_, index) => index + 2).filter((number, _, numbers) =>
  number > 2 && numbers.every((divisor) => divisor >= number || number % divisor !== 0)
)

const powersOf65537 = (prime: number): ReadonlySet<number> => {
  const powers = new Set<number>()
  for (let power = 1; !powers.has(power); power = power * 65_537 % prime) powers.add(power)
  return powers
}

const fingerprint = primes.map((prime) => ({ prime, powers: powersOf65537(prime) }))

/** The product of these primes, so that there is only one long division. It is much longer than a number. */
const product = primes.reduce((product, prime) => product * BigInt(prime), 1n)

/** Returns whether a modulus has the fingerprint. Other moduli have it in fewer than one of 2^27 cases. */
export const hasRocaFingerprint = (modulus: bigint): boolean => {
  const rest = modulus % product
  return fingerprint.every(({ powers, prime }) => powers.has(Number(rest % BigInt(prime))))
}
