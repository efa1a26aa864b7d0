import type { Requester } from "../../fairness/Requester.ts"

/** How many consecutive failures indicate that the provider may be down. */
const failuresInRow = 5

/** From how many peers the failures must come, unless they include a token that was accepted before. */
const severalPeers = 3

/** How long the peers with failed requests are rejected, and then for the same time again queue behind others. */
const closedMillis = 10_000
const othersFirstMillis = 5_000

/** The pause between two requests of other peers while the provider counts as down. */
const probeMillis = 1_000

/** The longest duration of a request. If its client leaves, some hosts do not report its end. */
const longestMillis = 6_000

/**
 * Whether a provider of opaque tokens is up, as far as its responses show. Pure; times are milliseconds of a clock that
 * never goes back.
 *
 * A provider may fail for certain tokens and work otherwise, and any client can send such tokens. So the provider counts
 * as down only after 5 consecutive failures that came from several peers, or that include a token that was accepted
 * before. Even then, other peers may send requests, one at a time, and one response means that the provider is up.
 */
export class ProviderHealth {
  #failures = 0
  #knownFailed = false
  /** The peers with failures since the last response. Beyond a maximum they are not distinguished. */
  readonly #failing = new Set<string>()
  #downUntil: number | undefined
  /** The start of each running request. */
  readonly #open: Array<number> = []
  #lastProbe = Number.NEGATIVE_INFINITY

  /** Whether a request may be sent to the provider now. If so, `ended` must follow. */
  mayAsk(requester: Requester, now: number): boolean {
    while (now - (this.#open[0] ?? now) >= longestMillis) this.#open.shift()
    if (this.#downUntil === undefined) {
      this.#open.push(now)
      return true
    }
    const from = this.#isSuspect(requester)
      ? this.#suspectsFrom(requester, this.#downUntil)
      : this.#lastProbe + probeMillis
    if (this.#open.length > 0 || now < from) return false
    this.#open.push(now)
    this.#lastProbe = now
    return true
  }

  /** Records the end of a request: with a response, with a failure of the provider, or with neither. */
  ended(requester: Requester, outcome: "Responded" | "Failed" | "Neither", now: number): void {
    this.#open.shift()
    if (outcome === "Responded") this.#recover()
    else if (outcome === "Failed") this.#fail(requester, now)
  }

  #isSuspect({ group, isKnown }: Requester): boolean {
    return !isKnown && (group === "" || this.#failing.size >= 1_000 || this.#failing.has(group))
  }

  /** A peer without a name represents all of them: no request may go before it. */
  #suspectsFrom({ group }: Requester, downUntil: number): number {
    return group === "" ? downUntil : downUntil + othersFirstMillis
  }

  #recover(): void {
    this.#failures = 0
    this.#knownFailed = false
    this.#failing.clear()
    this.#downUntil = undefined
  }

  #fail({ group, isKnown }: Requester, now: number): void {
    this.#failures++
    if (isKnown) this.#knownFailed = true
    else if (this.#failing.size < 1_000) this.#failing.add(group)
    const isEvidence = this.#knownFailed || this.#failing.size >= severalPeers || this.#failing.has("")
    if (this.#failures >= failuresInRow && isEvidence) this.#downUntil = now + closedMillis
  }
}
