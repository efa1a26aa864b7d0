/** The status page: one HTML document, complete without a script. Pure. */
import type { AuditEntry } from "../../audit/AuditEntry.ts"
import { decisions, type Filter } from "./decisions.ts"
import { explain, type Explained } from "./explainForm.ts"
import { type Html, html } from "./html.ts"
import { overview, verdict } from "./overview.ts"
import { providers } from "./providers.ts"
import { rejections } from "./rejectionList.ts"
import { servers } from "./servers.ts"
import { settings } from "./settingsList.ts"
import type { Status } from "./Status.ts"
import { troubles } from "./troubles.ts"
import { timeOfDay } from "./words.ts"

export interface PageContent {
  readonly status: Status
  /** The newest first. */
  readonly entries: ReadonlyArray<AuditEntry>
  readonly filter: Filter
  readonly explained?: Explained | undefined
}

const sections: ReadonlyArray<readonly [string, string]> = [
  ["overview", "Overview"],
  ["servers", "Servers"],
  ["providers", "Providers"],
  ["rejections", "Rejections"],
  ["explain", "Explain"],
  ["decisions", "Decisions"],
  ["settings", "Settings"]
]

const top = ({ now, version }: Status): Html =>
  html`<header class="top">
<div class="brand"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2 21 6v6c0 5-3.8 8.6-9 10-5.2-1.4-9-5-9-10V6Z"/><path class="cut" d="m8 12 3 3 5.2-5.6"/></svg><h1>mcp-authorizer</h1><span class="note">${version}</span></div>
<nav aria-label="Sections"><ul>${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<div class="clock"><span data-live="clock" class="note">${
    timeOfDay(now)
  } UTC</span><button type="button" id="pause" aria-pressed="false" hidden>Pause</button></div>
</header>
<p id="stale" role="alert" hidden></p>
`

export const page = ({ entries, explained, filter, status }: PageContent): Html => {
  const { state, text } = verdict(troubles(status))
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${text} · mcp-authorizer</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" type="image/svg+xml" href="./icon-${state}.svg">
<link rel="stylesheet" href="./page.css">
<script src="./page.js" defer></script>
</head>
<body>
<a class="skip" href="#overview">Skip to the content</a>
${top(status)}
<main id="main">
${overview(status)}
${servers(status)}
${providers(status)}
${rejections(status)}
${explain(status, explained)}
${decisions(status, entries, filter)}
${settings(status)}
</main>
<footer><p class="note">The same as data: <a href="./status.json">status.json</a>, <a href="./decisions.json">decisions.json</a>, <a href="./metrics">metrics</a></p></footer>
</body>
</html>
`
}
