/** A finding of the doctor: one problem, why it matters and to which clients, and the fix. Pure. */

/** `error`: clients fail here. `warning`: some clients fail, or some of the time. `note`: information. */
export const levels = ["error", "warning", "note"] as const

export type Level = (typeof levels)[number]

/**
 * The clients that findings name. `SDKs`: programs with an official SDK. `Inspector` also represents other clients in
 * browsers.
 */
export const clients = ["Claude", "ChatGPT", "VS Code", "Cursor", "Inspector", "SDKs"] as const

export type Client = (typeof clients)[number]

/** Clients that run in a data center and reach only public addresses. */
export const hosted: ReadonlyArray<Client> = ["Claude", "ChatGPT"]

/** Clients that read pages of other origins only as far as CORS permits. */
export const browsers: ReadonlyArray<Client> = ["Inspector"]

/** Clients that parse documents and fields with the official SDKs. */
export const sdks: ReadonlyArray<Client> = ["SDKs", "Inspector"]

/** Everything about a finding that is the same for every server. */
export interface Rule {
  readonly level: Level
  /** The problem in a few words, without values. */
  readonly title: string
  readonly why: string
  /** The affected clients. Empty if only the server or its operator is affected. */
  readonly clients: ReadonlyArray<Client>
  /** The sentence of the specification behind it, abbreviated. */
  readonly specification: string
  readonly fix: string
}

export interface Finding extends Rule {
  readonly code: string
  /** What was found, with values of the server, printable and without secrets. */
  readonly found: string
  /** The request that showed it: method and URL. */
  readonly at?: string | undefined
}

export interface Particulars {
  readonly found: string
  readonly at?: string | undefined
  readonly level?: Level | undefined
  readonly clients?: ReadonlyArray<Client> | undefined
  readonly fix?: string | undefined
}

export const makeFinding = <const Rules extends Readonly<Record<string, Rule>>>(rules: Rules) =>
(
  code: keyof Rules & string,
  { at, clients, fix, found, level }: Particulars
): Finding => {
  // The record has a rule for each of its keys.
  const rule = rules[code] as Rule
  return {
    ...rule,
    code,
    level: level ?? rule.level,
    clients: clients ?? rule.clients,
    fix: fix ?? rule.fix,
    found,
    ...(at === undefined ? {} : { at })
  }
}

/** The maximum number of findings of one kind that are shown in full. */
const maxShown = 3

/** Joins the texts of findings from several places, if they differ. */
const joined = (findings: readonly [Finding, ...ReadonlyArray<Finding>]): Finding => {
  const [first] = findings
  const places = findings.map(({ at, found }) => at === undefined || at === first.at ? found : `${found} (${at})`)
  const shown = [...new Set(places)]
  const rest = shown.length > maxShown ? `; and ${shown.length - maxShown} more` : ""
  return { ...first, found: `${shown.slice(0, maxShown).join("; ")}${rest}` }
}

/** Combines findings with the same rule and level, because one mistake usually shows in several places. */
export const grouped = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> => {
  const groups = new Map<string, [Finding, ...Array<Finding>]>()
  for (const finding of findings) {
    const name = `${finding.code} ${finding.level}`
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [finding])
    else group.push(finding)
  }
  return [...groups.values()].map(joined)
}

const rank = (level: Level): number => levels.indexOf(level)

/** Compares two levels: the worse one comes first. */
export const byLevel = (one: Level, other: Level): number => rank(one) - rank(other)
