/** Levenshtein distance. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] ?? 0
      const left = next[j - 1] ?? 0
      const diagonal = row[j - 1] ?? 0
      next.push(Math.min(above + 1, left + 1, diagonal + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** Returns the only known name that consists of this name and one more word. */
const continuation = (name: string, known: ReadonlyArray<string>): string | undefined => {
  const [only, ...others] = known.filter((candidate) => name.length > 3 && candidate.startsWith(`${name}_`))
  return others.length === 0 ? only : undefined
}

/**
 * The known name that was most likely meant: at most two edits away, or with one more word, or at most four edits and
 * less than half of its length away.
 */
export const nearestName = (name: string, known: Iterable<string>): string | undefined => {
  const candidates = [...known]
  let best: string | undefined
  let least = Math.min(4, Math.floor(name.length / 2)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= least) continue
    const edits = distance(name, candidate)
    if (edits < least) {
      least = edits
      best = candidate
    }
  }
  return least <= 2 && best !== undefined ? best : continuation(name, candidates) ?? best
}

/** The name of a variable, fit to be shown. */
export const showName = (name: string): string => /^[A-Za-z_]\w{0,63}$/.test(name) ? name : "(not shown)"

/** The name of a JSON member, fit to be shown: with a digit in it, it may be a secret in the wrong place. */
export const showMember = (name: string): string => /^[A-Za-z_$][A-Za-z_$.-]{0,63}$/.test(name) ? name : "(not shown)"
