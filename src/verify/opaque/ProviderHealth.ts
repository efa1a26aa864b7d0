import type { Requester } from "../../fairness/Requester.ts"

/** How many failures in a row indicate that the provider may be down. */
const failuresInRow = 5

/** How many peers must have caused the failures, unless a token that was accepted before is among them. */
const severalPeers = 3

/**
 * For this long, peers whose requests failed are rejected. For the same time after it, their requests queue behind
 * others.
 */
const closedMillis = 10_000
const othersFirstMillis = 5_000

/** The pause between two requests of other peers, while the provider counts as down. */
const probeMillis = 1_000

/** A request counts as ended after this time, because some hosts do not report its end if its client leaves. */
const longestMillis = 6_000

/**
 * Whether a provider of opaque tokens is up, as far as its responses show. Pure. Times are milliseconds of a monotonic
 * clock.
 *
 * A provider may fail for certain tokens only, and any client can send such tokens. So the provider counts as down only
 * after 5 failures in a row that several peers have caused, or that include a token that was accepted before. Even
 * then, other peers may send requests, one at a time, and a single response means that the provider is up again.
 */
export class ProviderHealth {
  #failures = 0
  #knownFailed = false
  /** The peers with failures since the last response. The number is limited; further peers share one entry. */
  readonly #failing = new Set<string>()
  #downUntil: number | undefined
  /** The start times of the requests in progress. */
  readonly #open: Array<number> = []
  #lastProbe = Number.NEGATIVE_INFINITY

  /** Returns whether a request may be sent to the provider now. If so, `ended` must be called later. */
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

  /** Records how a request ended: with a response, with a failure of the provider, or with neither. */
  ended(requester: Requester, outcome: "Responded" | "Failed" | "Neither", now: number): void {
    this.#open.shift()
    if (outcome === "Responded") this.#recover()
    else if (outcome === "Failed") this.#fail(requester, now)
  }

  #isSuspect({ group, isKnown }: Requester): boolean {
    return !isKnown && (group === "" || this.#failing.size >= 1_000 || this.#failing.has(group))
  }

  /** Until when a peer counts as a cause of the failures. A peer without a name counts as one of them. */
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
