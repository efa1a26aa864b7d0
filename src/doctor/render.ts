/** The report as text for a terminal: the result first, then the steps, then each finding. Pure. */
import { clients as allClients, type Finding, type Level } from "./Finding.ts"
import { type ClientVerdict, firstBreak, type Report, type StepResult, worstFirst } from "./Report.ts"

export interface Style {
  readonly error: (text: string) => string
  readonly warning: (text: string) => string
  readonly note: (text: string) => string
  readonly good: (text: string) => string
  readonly strong: (text: string) => string
  readonly faint: (text: string) => string
}

const ansi = (code: string) => (text: string): string => `\u001b[${code}m${text}\u001b[0m`

/** Colours of terminals. */
export const coloured: Style = {
  error: ansi("31"),
  warning: ansi("33"),
  note: ansi("36"),
  good: ansi("32"),
  strong: ansi("1"),
  faint: ansi("2")
}

const same = (text: string): string => text

/** The style for files, pipes and terminals without colours. */
export const plain: Style = { error: same, warning: same, note: same, good: same, strong: same, faint: same }

export interface Layout {
  readonly style: Style
  readonly width: number
}

type Verdict = StepResult["verdict"]

const symbols: Readonly<Record<Verdict, string>> = { ok: "✓", error: "✗", warning: "!", note: "i", skipped: "·" }

const marked = (verdict: Verdict, text: string, style: Style): string => {
  switch (verdict) {
    case "ok":
      return style.good(text)
    case "skipped":
      return style.faint(text)
    default:
      return style[verdict](text)
  }
}

/** Breaks text into lines of at most `width` columns, at spaces. */
const wrapped = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === "" ? word : `${line} ${word}`
    }
  }
  return line === "" ? lines : [...lines, line]
}

/** A label, and text that is wrapped next to it. */
const field = (label: string, text: string, { style, width }: Layout): ReadonlyArray<string> => {
  const indent = 13
  return wrapped(text, Math.max(20, width - indent)).map((line, index) =>
    `    ${index === 0 ? style.faint(label.padEnd(indent - 4)) : " ".repeat(indent - 4)}${line}`
  )
}

const titleWidth = 30

/** One line for a step, in the list of steps and as progress. */
export const stepLine = (step: StepResult, { style, width }: Layout): string => {
  const { seen, title, verdict } = step
  const room = Math.max(20, width - titleWidth - 4)
  const [first = "", ...more] = wrapped(seen, room)
  const head = `${marked(verdict, symbols[verdict], style)} ${title.padEnd(titleWidth)}`
  const text = [first, ...more.map((line) => `${" ".repeat(titleWidth + 4)}${line}`)].join("\n")
  return `  ${head}${verdict === "ok" || verdict === "skipped" ? style.faint(text) : text}`
}

/** The list of steps, with the first failed one marked. */
const way = (steps: ReadonlyArray<StepResult>, layout: Layout): ReadonlyArray<string> => {
  const broken = firstBreak(steps)
  return steps.flatMap((step) => {
    const line = stepLine(step, layout)
    if (step !== broken?.step) return [line]
    return [
      line,
      `    ${layout.style.error(broken.finding.clients.length === 0 ? "^ first error" : "^ clients stop here")}`
    ]
  })
}

const levelWords: Readonly<Record<Level, string>> = { error: "ERROR", warning: "WARNING", note: "NOTE" }

const findingLines = (step: StepResult, finding: Finding, layout: Layout): ReadonlyArray<string> => {
  const { style } = layout
  const { at, clients, code, fix, found, level, specification, title, why } = finding
  return [
    `  ${marked(level, `${symbols[level]} ${levelWords[level]}`, style)} ${style.strong(title)} ${
      style.faint(`(${step.title}; ${code})`)
    }`,
    ...field("Found", found, layout),
    ...(at === undefined ? [] : field("At", at, layout)),
    ...field("Matters", why, layout),
    ...(clients.length === 0 ? [] : field("Clients", clients.join(", "), layout)),
    ...field("Rule", specification, layout),
    ...field("Fix", fix, layout),
    ""
  ]
}

/** Notes are shown in short form, because they need no action. */
const noteLine = ({ found, title }: Finding, { style, width }: Layout): ReadonlyArray<string> =>
  wrapped(`${title}: ${found}`, Math.max(20, width - 4)).map((line, index) =>
    index === 0 ? `  ${style.note(symbols.note)} ${line}` : `    ${line}`
  )

const stepTitle = (report: Report, id: string | undefined): string =>
  report.steps.find((step) => step.id === id)?.title ?? ""

const clientLine = (report: Report, { client, stopsAt, verdict }: ClientVerdict, style: Style): string => {
  const name = client.padEnd(10)
  switch (verdict) {
    case "fails":
      return `  ${style.error("✗")} ${name} fails at: ${stepTitle(report, stopsAt)}`
    case "limited":
      return `  ${style.warning("!")} ${name} with warnings`
    case "works":
      return `  ${style.good("✓")} ${name} nothing found that stops it`
  }
}

const needsToken = ({ steps }: Report): boolean =>
  steps.some(({ id, verdict }) => id === "token" && verdict === "skipped")

const shownClients = ({ clients }: Finding): string =>
  clients.length === allClients.length ? "all clients" : clients.join(", ")

/** The maximum number of warnings in the headline. */
const maxShown = 4

const headline = (report: Report, layout: Layout): ReadonlyArray<string> => {
  const { style } = layout
  const broken = firstBreak(report.steps)
  if (broken !== undefined) {
    const { finding, step } = broken
    const others = report.steps.flatMap(({ findings }) => findings).filter(({ level }) => level === "error").length - 1
    return [
      `  ${style.error(style.strong(`✗ ${finding.title}.`))} ${
        style.faint(`(step ${report.steps.indexOf(step) + 1}: ${step.title})`)
      }`,
      ...field("Found", finding.found, layout),
      ...(finding.clients.length === 0 ? [] : field("Fails", shownClients(finding), layout)),
      ...field("Fix", finding.fix, layout),
      ...(others === 0 ? [] : [`    ${style.faint(`and ${others} more ${others === 1 ? "error" : "errors"}, below`)}`])
    ]
  }
  if (report.verdict === "unknown") return [`  ${style.warning("! The examination did not end in time.")}`]
  // Findings that affect most clients come first.
  const warnings = report.steps.flatMap(({ findings }) => findings).filter(({ level }) => level === "warning")
    .toSorted((one, other) => other.clients.length - one.clients.length)
  const rest = needsToken(report) && report.steps.some(({ id, verdict }) => id === "resource" && verdict !== "skipped")
    ? " as far as it can be seen without a token"
    : ""
  if (warnings.length === 0) return [`  ${style.good(style.strong("✓ Clients can connect"))}${rest}.`]
  const shown = warnings.slice(0, maxShown).map(({ title }) => `      ${title}`)
  const more = warnings.length > maxShown ? [`      and ${warnings.length - maxShown} more`] : []
  return [`  ${style.warning(style.strong("! Clients can connect"))}${rest}, with warnings:`, ...shown, ...more]
}

const count = (report: Report): string => {
  const findings = report.steps.flatMap((step) => step.findings)
  const of = (level: Level, word: string): string => {
    const number = findings.filter((finding) => finding.level === level).length
    return `${number} ${word}${number === 1 ? "" : "s"}`
  }
  return [of("error", "error"), of("warning", "warning"), of("note", "note")].join(", ")
}

/** The report as text, with a line feed at its end. */
export const render = (report: Report, layout: Layout): string => {
  const { style } = layout
  const found = worstFirst(report.steps)
  const problems = found.filter(({ finding }) => finding.level !== "note")
  const notes = found.filter(({ finding }) => finding.level === "note")
  const name = report.server === undefined || report.server === "" ? "" : ` (${report.server})`
  return [
    "",
    `${style.strong(report.url)}${name}`,
    "",
    ...headline(report, layout),
    "",
    style.strong("The way of a client"),
    ...way(report.steps, layout),
    "",
    style.strong("Clients"),
    ...report.clients.map((one) => clientLine(report, one, style)),
    "",
    ...(problems.length === 0
      ? []
      : [
        style.strong("Findings, worst first"),
        ...problems.flatMap(({ finding, step }) => findingLines(step, finding, layout))
      ]),
    ...(notes.length === 0
      ? []
      : [style.strong("Notes"), ...notes.flatMap(({ finding }) => noteLine(finding, layout)), ""]),
    style.faint(`${count(report)}. ${report.requests} requests in ${Math.round(report.millis / 100) / 10} seconds.`),
    ""
  ].join("\n")
}
