/** The form that explains a token, and the explanation. The token itself never becomes part of the page. Pure. */
import type { Explanation } from "../../explain/Explanation.ts"
import { foreign, type Html, html } from "./html.ts"
import { fact, section, sign, type State, stateBadge } from "./parts.ts"
import type { Status } from "./Status.ts"

export type Explained =
  | { readonly _tag: "Explained"; readonly explanation: Explanation }
  /** The form could not be used, and why. */
  | { readonly _tag: "Unusable"; readonly problem: string }

const states: Readonly<Record<Explanation["steps"][number]["verdict"], readonly [State, string]>> = {
  pass: ["ok", "passes"],
  fail: ["bad", "fails"],
  skipped: ["idle", "skipped"],
  unknown: ["warn", "cannot tell"]
}

const step = ({ expected, fix, found, name, verdict }: Explanation["steps"][number]): Html => {
  const [state, word] = states[verdict]
  // A step that was not checked is shown in one line.
  const isShort = verdict === "skipped" && fix === undefined
  return html`<li class="step ${state}"><div class="step-head"><span class="title">${name}</span>${
    isShort && html`<span class="note">${foreign(found)}</span>`
  }${stateBadge(state, word)}</div>
${
    !isShort &&
    html`<dl class="facts">${expected !== "" && fact("Expected", foreign(expected))}${
      found !== "" && fact("Found", foreign(found))
    }</dl>`
  }
${fix !== undefined && html`<p class="fix"><strong>How to fix it.</strong> ${foreign(fix)}</p>`}</li>
`
}

const decisions: Readonly<Record<Explanation["outcome"]["decision"], readonly [State, string]>> = {
  accepted: ["ok", "This token is accepted"],
  rejected: ["bad", "This token is rejected"],
  unknown: ["warn", "It cannot be told whether this token is accepted"]
}

const seen = (upstream: NonNullable<Explanation["upstream"]>): Html =>
  html`<h4>What the MCP server sees</h4>
<dl class="facts wide">${
    Object.entries(upstream.headers).map(([name, value]) => fact(name, html`<code>${foreign(value)}</code>`))
  }${
    Object.entries(upstream.authContext ?? {}).map(([name, value]) =>
      fact(`_authContext.${name}`, html`<code>${value === null ? "null" : foreign(value)}</code>`)
    )
  }</dl>
${
    upstream.token &&
    html`<p class="note raised">The token itself is forwarded as well (<code>MCP_FORWARD_AUTHORIZATION</code>).</p>`
  }`

const explained = ({ clockDifference, outcome, provider, steps, token, upstream }: Explanation): Html => {
  const [state, text] = decisions[outcome.decision]
  const { response } = outcome
  return html`<div class="verdict ${state}"><p class="sentence">${sign(state)}<span>${text}</span></p>
<p>${foreign(outcome.detail)}</p>
<dl class="facts">
${fact("Form", `${token.form}, ${token.length} characters`)}
${
    provider !== undefined &&
    fact("Provider", html`${foreign(provider.name)} <span class="note">${foreign(provider.chosenBy)}</span>`)
  }
${
    response !== undefined &&
    fact(
      "Clients get",
      html`${response.status} <code>${foreign(response.error)}</code> ${foreign(response.description)}`
    )
  }
${
    clockDifference !== undefined &&
    fact("Provider's clock", `${Math.abs(clockDifference)} s ${clockDifference < 0 ? "behind" : "ahead"}`)
  }
</dl></div>
<ol class="steps">${steps.map(step)}</ol>
${upstream !== undefined && seen(upstream)}`
}

const result = (outcome: Explained | undefined): Html | undefined => {
  if (outcome === undefined) return undefined
  return outcome._tag === "Explained"
    ? explained(outcome.explanation)
    : html`<p class="problem">${sign("warn")} ${outcome.problem}</p>`
}

const serverField = ({ servers }: Status): Html | false =>
  servers.length > 1 &&
  html`<p class="field"><label for="explain-server">MCP server</label><select id="explain-server" name="server">${
    servers.map(({ name }) => html`<option value="${name}">${name}</option>`)
  }</select></p>`

export const explain = (status: Status, outcome: Explained | undefined): Html =>
  section(
    "explain",
    "Explain a token",
    "goes to this process only, is neither stored nor logged",
    html`<form class="explain" id="explain-form" action="./explain" method="post" autocomplete="off">
<p class="field grows"><label for="explain-token">Access token</label><textarea id="explain-token" name="token" rows="3" required spellcheck="false" autocomplete="off" autocapitalize="off" data-secret aria-describedby="explain-note"></textarea></p>
<div class="row">
${serverField(status)}
<p class="field"><label for="explain-method">Method <span class="note">optional</span></label><input id="explain-method" name="method" placeholder="tools/call" autocomplete="off" spellcheck="false" maxlength="256"></p>
<p class="field"><label for="explain-tool">Tool <span class="note">optional</span></label><input id="explain-tool" name="tool" autocomplete="off" spellcheck="false" maxlength="256"></p>
<p class="field"><button type="submit" class="primary">Explain</button></p>
</div>
<p class="note" id="explain-note">A token is a secret for as long as it is valid. The explanation contains neither the token nor its signature.</p>
</form>
<div id="explanation" role="region" aria-label="Explanation" tabindex="-1">${result(outcome)}</div>`
  )
