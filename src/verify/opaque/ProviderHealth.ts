import type { Asker } from "../../fairness/Asker.ts"

/** Failures in a row that may mean that the provider is down. */
const failuresInRow = 5

/** Of so many peers they must come, unless a token was among them that was good before. */
const severalPeers = 3

/** How long those are not answered whose questions failed, and then how much longer others come before them. */
const closedMillis = 10_000
const othersFirstMillis = 5_000

/** Between two questions of others meanwhile. */
const probeMillis = 1_000

/** So long a question lasts at most; where its client leaves, some hosts do not tell of its end. */
const longestMillis = 6_000

/**
 * Whether a provider of opaque tokens can be asked, as far as its answers tell. Pure; times are milliseconds of a clock
 * that never goes back.
 *
 * A provider may fail over certain tokens and be well otherwise, and anybody can send such tokens. So it is taken for down
 * only when 5 questions in a row have failed that came from several peers, or one of which was about a token that was good
 * before. Even then others than those may ask, one at a time; one answer, and it is up.
 */
export class ProviderHealth {
  #failures = 0
  #knownFailed = false
  /** Whose questions failed since the last answer; those beyond a number are not told apart. */
  readonly #failing = new Set<string>()
  #downUntil: number | undefined
  /** When each open question began. */
  readonly #open: Array<number> = []
  #lastProbe = Number.NEGATIVE_INFINITY

  /** Says whether the provider may be asked now; if so, `ended` follows. */
  mayAsk(asker: Asker, now: number): boolean {
    while (now - (this.#open[0] ?? now) >= longestMillis) this.#open.shift()
    if (this.#downUntil === undefined) {
      this.#open.push(now)
      return true
    }
    const from = this.#isSuspect(asker) ? this.#suspectsFrom(asker, this.#downUntil) : this.#lastProbe + probeMillis
    if (this.#open.length > 0 || now < from) return false
    this.#open.push(now)
    this.#lastProbe = now
    return true
  }

  /** The question is over, with an answer, with a failure that is the provider's, or with neither. */
  ended(asker: Asker, outcome: "Answered" | "Failed" | "Neither", now: number): void {
    this.#open.shift()
    if (outcome === "Answered") this.#recover()
    else if (outcome === "Failed") this.#fail(asker, now)
  }

  #isSuspect({ group, isKnown }: Asker): boolean {
    return !isKnown && (group === "" || this.#failing.size >= 1_000 || this.#failing.has(group))
  }

  /** A nameless peer stands for all: nobody can be let in before it. */
  #suspectsFrom({ group }: Asker, downUntil: number): number {
    return group === "" ? downUntil : downUntil + othersFirstMillis
  }

  #recover(): void {
    this.#failures = 0
    this.#knownFailed = false
    this.#failing.clear()
    this.#downUntil = undefined
  }

  #fail({ group, isKnown }: Asker, now: number): void {
    this.#failures++
    if (isKnown) this.#knownFailed = true
    else if (this.#failing.size < 1_000) this.#failing.add(group)
    const isEvidence = this.#knownFailed || this.#failing.size >= severalPeers || this.#failing.has("")
    if (this.#failures >= failuresInRow && isEvidence) this.#downUntil = now + closedMillis
  }
}
