/** The MCP servers, one row each. Pure. */
import { foreign, type Html, html } from "./html.ts"
import { layersOf } from "./overview.ts"
import { cell, lastErrorLine, live, section, stateBadge, table } from "./parts.ts"
import { spark } from "./plots.ts"
import type { Counts, ServerStatus, Status } from "./Status.ts"
import { serverLevel, serverTitle } from "./troubles.ts"
import { count, counted, millis, percent, rate, relative } from "./words.ts"

const total = ({ failed, passed, rejected }: Counts): number => failed + passed + rejected

const stateWord = (server: ServerStatus): string => {
  const level = serverLevel(server)
  if (level === "bad") return "not responding"
  if (level === "warn") return "failing at times"
  return level === "idle" ? "not called yet" : "works"
}

const columns = {
  server: { title: "Server" },
  state: { title: "State" },
  graph: { title: "Last hour" },
  perSecond: { title: "Per second", isNumber: true },
  hour: { title: "In the hour", isNumber: true },
  rejected: { title: "Rejected", isNumber: true },
  failed: { title: "Failed", isNumber: true },
  p50: { title: "Half within", isNumber: true },
  p95: { title: "95 % within", isNumber: true }
} as const

const row = (server: ServerStatus, index: number, { now, slots }: Status): Html => {
  const {
    lastError,
    lastPassedAt,
    name,
    providers,
    resource,
    traffic: { lastHour, p50, p95, perSecond, series },
    upstream
  } = server
  const hour = total(lastHour)
  return html`<tr class="${
    serverLevel(server)
  }" id="server-${index}" role="row" data-key="server-${index}" tabindex="-1">
<th scope="row" role="rowheader"><span class="name">${name === "" ? "MCP server" : foreign(name)}</span>
<span class="address"><span class="visually-hidden">forwards to </span>${foreign(upstream)}</span>
${
    resource !== undefined && resource !== upstream &&
    html`<span class="address">for clients: ${foreign(resource)}</span>`
  }
${providers.length > 0 && html`<span class="address">providers: ${foreign(providers.join(", "))}</span>`}
${lastErrorLine(lastError, now)}</th>
${
    cell(columns.state, [
      stateBadge(serverLevel(server), stateWord(server)),
      lastPassedAt !== undefined && html`<span class="note">last response ${relative(lastPassedAt, now)}</span>`
    ])
  }
${
    cell(
      columns.graph,
      spark(
        `Requests for ${serverTitle(server)} in the last hour: ${count(lastHour.passed)} passed, ${
          count(lastHour.rejected)
        } rejected, ${count(lastHour.failed)} failed`,
        layersOf(series, slots.millis)
      ),
      "graph"
    )
  }
${cell(columns.perSecond, rate(perSecond))}
${cell(columns.hour, count(hour))}
${cell(columns.rejected, percent(lastHour.rejected, hour))}
${cell(columns.failed, percent(lastHour.failed, hour), lastHour.failed > 0 ? "raised" : "")}
${cell(columns.p50, millis(p50))}
${cell(columns.p95, millis(p95))}
</tr>
`
}

export const servers = (status: Status): Html =>
  section(
    "servers",
    "MCP servers",
    counted(status.servers.length, "server"),
    live(
      "servers",
      table(
        "MCP servers",
        "servers",
        Object.values(columns),
        status.servers.map((server, index) => row(server, index, status))
      )
    )
  )
