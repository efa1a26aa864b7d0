/** The identity providers with their keys, one card each. Pure. */
import { foreign, type Html, html } from "./html.ts"
import { fact, lastErrorLine, live, section, stateBadge } from "./parts.ts"
import type { KeysStatus, ProviderStatus, Status } from "./Status.ts"
import { providerLevel, stateText } from "./troubles.ts"
import { count, counted, relative } from "./words.ts"

/** The state of cached keys, next to their number. */
const phaseTexts: Readonly<Record<string, string>> = {
  fresh: "current",
  refreshing: "current, being fetched again",
  expired: "expired, fetched again when needed",
  stale: "expired, but used until the provider can be reached",
  unavailable: "cannot be fetched",
  pending: "being fetched",
  empty: "not needed yet"
}

/** If there are more keys than this, they are collapsed. */
const shownAtOnce = 4

const keyList = ({ keys, skipped }: KeysStatus): Html => {
  const items = html`<ul class="keys">${
    keys.map(({ algorithms, kid }) =>
      html`<li><code>${kid === undefined ? "without an id" : foreign(kid)}</code> <span class="note">${
        algorithms.join(", ")
      }</span></li>`
    )
  }${
    skipped.map(({ name, reason }) =>
      html`<li><code>${foreign(name)}</code> <span class="note raised">cannot be used: ${reason}</span></li>`
    )
  }</ul>`
  return keys.length + skipped.length <= shownAtOnce
    ? items
    : html`<details><summary>${counted(keys.length, "key")}</summary>${items}</details>`
}

const keySet = (set: KeysStatus, now: number): Html => {
  const { failures, fetchedAt, freshUntil, keys, lastFailure, nextFetchAt, phase, source } = set
  return html`<div class="key-set" data-key="${source}">
<p class="address">${foreign(source)}</p>
<dl class="facts">
${fact("Keys", `${keys.length === 0 ? "none" : count(keys.length)}, ${phaseTexts[phase] ?? phase}`)}
${fact("Age", fetchedAt === undefined ? "not fetched yet" : html`fetched ${relative(fetchedAt, now)}`)}
${freshUntil !== undefined && fact(freshUntil < now ? "Expired" : "Good until", relative(freshUntil, now))}
${
    nextFetchAt !== undefined &&
    fact("Next fetch", nextFetchAt <= now ? "when they are next needed" : relative(nextFetchAt, now))
  }
${failures > 0 && fact("Failed fetches", html`<span class="raised">${counted(failures, "time")} in a row</span>`)}
</dl>
${
    lastFailure !== undefined &&
    html`<p class="last-error"><span class="label">Last failure</span> ${foreign(lastFailure)}</p>`
  }
${keys.length + set.skipped.length > 0 && keyList(set)}
</div>`
}

const card = (provider: ProviderStatus, index: number, now: number): Html => {
  const { accepted, keySets, lastAcceptedAt, lastError, name, rejected, state, type } = provider
  return html`<article class="card ${
    providerLevel(provider)
  }" id="provider-${index}" data-key="provider-${index}" tabindex="-1" aria-labelledby="provider-${index}-name">
<div class="card-head"><h3 id="provider-${index}-name">${foreign(name)}</h3><span class="kind">${
    foreign(type)
  }</span></div>
<p>${stateBadge(providerLevel(provider), stateText(state))}</p>
<dl class="facts">
${
    fact(
      "Accepted",
      html`${count(accepted)}${lastAcceptedAt !== undefined && html`, last ${relative(lastAcceptedAt, now)}`}`
    )
  }
${fact("Rejected", count(rejected))}
</dl>
${lastErrorLine(lastError, now)}
${keySets.map((set) => keySet(set, now))}
</article>
`
}

/** The section. */
export const providers = ({ now, providers }: Status): Html =>
  section(
    "providers",
    "Identity providers",
    counted(providers.length, "provider"),
    live(
      "providers",
      providers.length === 0
        ? html`<p class="empty">There is no provider: every request passes without an identity (<code>MCP_AUTH_ENABLED=false</code>).</p>`
        : html`<div class="cards">${providers.map((provider, index) => card(provider, index, now))}</div>`
    )
  )
