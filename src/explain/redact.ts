/** Removes secrets from an explanation, as a last precaution. Pure. */
import type { Explanation, Step } from "./Explanation.ts"

/** Shorter texts occur in other words by chance, and are too short to be a secret. */
const shortest = 8

/** Values are truncated after this number of characters (`errors/show.ts`). */
const shownLength = 160

const hidden = "(hidden)"

/**
 * Returns the same explanation without the secrets in its texts.
 *
 * No step shows the token. But providers may repeat the token in their responses, and issuers may write it into a
 * claim.
 */
export const withoutSecrets = (explanation: Explanation, secrets: ReadonlyArray<string>): Explanation => {
  // The longest first, so that no part of a longer one remains.
  const ordered = [...new Set(secrets.flatMap((secret) => [secret, secret.slice(0, shownLength)]))]
    .filter(({ length }) => length >= shortest)
    .toSorted((left, right) => right.length - left.length)
  const clean = (text: string): string => ordered.reduce((shown, secret) => shown.replaceAll(secret, hidden), text)
  const cleanAll = <A extends string | null>(texts: Readonly<Record<string, A>>) =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text === null ? text : clean(text)]))

  const cleanStep = ({ expected, fix, found, name, verdict }: Step): Step => {
    const cleaned = { name, verdict, expected: clean(expected), found: clean(found) }
    return fix === undefined ? cleaned : { ...cleaned, fix: clean(fix) }
  }

  const { outcome, steps, upstream } = explanation
  return {
    ...explanation,
    steps: steps.map((step) => cleanStep(step)),
    ...(upstream === undefined ? {} : {
      upstream: {
        ...upstream,
        headers: cleanAll(upstream.headers),
        ...(upstream.authContext === undefined ? {} : { authContext: cleanAll(upstream.authContext) })
      }
    }),
    outcome: { ...outcome, detail: clean(outcome.detail) }
  }
}
