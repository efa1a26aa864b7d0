/** The most recent decisions, with filters. Pure. */
import { type AuditDecision, auditDecisions, type AuditEntry } from "../../audit/AuditEntry.ts"
import { foreign, type Html, html } from "./html.ts"
import { cell, live, section, type State, stateBadge, table } from "./parts.ts"
import type { Status } from "./Status.ts"
import { count, counted, millis, relative } from "./words.ts"

/** The decisions to show; an empty text selects all. */
export interface Filter {
  readonly decision: string
  readonly server: string
  readonly provider: string
  /** A part of any member of an entry, in any case. */
  readonly text: string
}

/** The maximum length of a filter: that of the longest text in an entry. */
const longestText = 256

/** Reads a filter from the query of a URL: `decision`, `server`, `provider`, `text`. */
export const readFilter = (query: URLSearchParams): Filter => {
  const read = (name: string) => (query.get(name) ?? "").slice(0, longestText)
  return { decision: read("decision"), server: read("server"), provider: read("provider"), text: read("text").trim() }
}

const membersOf = (entry: AuditEntry): string =>
  Object.values(entry).map((value) => typeof value === "object" ? JSON.stringify(value) : String(value)).join("\n")
    .toLowerCase()

export const filtered = (
  entries: ReadonlyArray<AuditEntry>,
  { decision, provider, server, text }: Filter
): ReadonlyArray<AuditEntry> => {
  const wanted = text.toLowerCase()
  return entries.filter((entry) =>
    (decision === "" || (decision === "not allowed" ? entry.decision !== "allowed" : entry.decision === decision)) &&
    (server === "" || entry.server === server) &&
    (provider === "" || entry.provider === provider) &&
    (wanted === "" || membersOf(entry).includes(wanted))
  )
}

const words: Readonly<Record<AuditDecision, readonly [State, string]>> = {
  allowed: ["ok", "allowed"],
  unauthenticated: ["warn", "unauthenticated"],
  missing_scopes: ["warn", "scopes missing"],
  denied: ["bad", "denied"],
  rejected: ["bad", "rejected"],
  rate_limited: ["warn", "rate limited"]
}

/** A decision with its sign. An allowed message for which the MCP server failed has a sign of its own. */
const outcomeOf = ({ decision, status = 0 }: AuditEntry): readonly [State, string] => {
  const [state, word] = words[decision]
  if (decision === "allowed" && status >= 500) return ["warn", "allowed, failed"]
  return [decision === "rejected" && status === 499 ? "idle" : state, word]
}

const caller = ({ client, client_address, provider, subject }: AuditEntry): Html => {
  const rest = [client, provider].filter((part) => part !== undefined)
  return html`${foreign(subject ?? client_address ?? "unknown")}${
    rest.length > 0 && html`<span class="note">${foreign(rest.join(" · "))}</span>`
  }`
}

const what = ({ http_method, method, prompt, resource, tool }: AuditEntry): Html => {
  const subject = tool ?? prompt ?? resource
  return html`<code>${foreign(subject ?? method ?? http_method)}</code>${
    subject !== undefined && method !== undefined && html`<span class="note">${foreign(method)}</span>`
  }`
}

const why = ({ ended, error, missing_scopes, reason, rule }: AuditEntry): Html => {
  const parts = [
    ...(error === undefined ? [] : [reason === undefined ? error : `${error}: ${reason}`]),
    ...(error === undefined && reason !== undefined ? [reason] : []),
    ...(missing_scopes === undefined || missing_scopes.length === 0 ? [] : [`lacks ${missing_scopes.join(" ")}`]),
    ...(rule === undefined ? [] : [rule === "default" ? "default rule" : `rule ${rule}`]),
    ...(ended === undefined ? [] : [ended])
  ]
  return foreign(parts.join(", "))
}

/** The id of an entry in the page. It has more than the request id, because entries of a batch have the same one. */
const keyOf = (entry: AuditEntry): string => `${entry.time} ${entry.trace_id} ${entry.tool ?? entry.method ?? ""}`

const columns = {
  when: { title: "When" },
  decision: { title: "Decision" },
  server: { title: "MCP server" },
  caller: { title: "Caller" },
  what: { title: "Asked for" },
  why: { title: "Why" },
  status: { title: "Status", isNumber: true },
  took: { title: "Took", isNumber: true },
  trace: { title: "Trace id" }
} as const

const row = (entry: AuditEntry, now: number, several: boolean): Html => {
  const { duration_ms, server, status, time, trace_id } = entry
  return html`<tr role="row" data-key="${keyOf(entry)}">
${cell(columns.when, relative(Date.parse(time), now), "when")}
${cell(columns.decision, stateBadge(...outcomeOf(entry)))}
${several && cell(columns.server, foreign(server ?? "–"))}
${cell(columns.caller, caller(entry), "who")}
${cell(columns.what, what(entry), "what")}
${cell(columns.why, why(entry), "why")}
${cell(columns.status, status ?? "–")}
${cell(columns.took, millis(duration_ms))}
${cell(columns.trace, html`<code>${foreign(trace_id)}</code>`, "trace")}
</tr>
`
}

const option = (value: string, text: string, chosen: string): Html =>
  value === chosen
    ? html`<option value="${value}" selected>${text}</option>`
    : html`<option value="${value}">${text}</option>`

const select = (
  name: string,
  label: string,
  all: string,
  options: ReadonlyArray<readonly [string, string]>,
  chosen: string
) =>
  html`<p class="field"><label for="filter-${name}">${label}</label><select id="filter-${name}" name="${name}">${
    option("", all, chosen)
  }${options.map(([value, text]) => option(value, text, chosen))}</select></p>`

const form = ({ providers, servers }: Status, filter: Filter): Html =>
  html`<form class="filters" id="filters" action="./#decisions" method="get" role="search" aria-label="Filter decisions">
${
    select("decision", "Decision", "all decisions", [
      ["not allowed", "all but allowed"],
      ...auditDecisions.map((decision) => [decision, words[decision][1]] as const)
    ], filter.decision)
  }
${
    servers.length > 1 &&
    select("server", "MCP server", "all servers", servers.map(({ name }) => [name, name] as const), filter.server)
  }
${
    providers.length > 1 &&
    select("provider", "Provider", "all providers", providers.map(({ name }) => [name, name] as const), filter.provider)
  }
<p class="field grows"><label for="filter-text">Contains</label><input id="filter-text" name="text" type="search" value="${filter.text}" placeholder="caller, tool, reason, trace id …" maxlength="${longestText}" autocomplete="off" spellcheck="false"></p>
<p class="field"><button type="submit" id="apply">Apply</button></p>
</form>`

export const keptDecisions = 200

/** The section. The newest entries come first. */
export const decisions = (status: Status, entries: ReadonlyArray<AuditEntry>, filter: Filter): Html => {
  const shown = filtered(entries, filter)
  const several = status.servers.length > 1
  return section("decisions", "Decisions", `the last ${keptDecisions}, newest first`, [
    form(status, filter),
    live("decisions", [
      html`<p class="note" role="status">${
        shown.length === entries.length
          ? counted(shown.length, "decision")
          : `${count(shown.length)} of ${counted(entries.length, "decision")}`
      }</p>`,
      shown.length === 0
        ? html`<p class="empty">${
          entries.length === 0 ? "Nothing was decided yet." : "No decision passes the filter."
        }</p>`
        : table(
          "Decisions",
          "decisions",
          Object.values(columns).filter((column) => several || column !== columns.server),
          shown.map((entry) => row(entry, status.now, several))
        )
    ])
  ])
}
