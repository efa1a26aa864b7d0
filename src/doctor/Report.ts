/** The result of an examination, for people and for programs. Pure. */
import { byLevel, type Client, clients, type Finding, type Level } from "./Finding.ts"

/** How a step ended: its worst finding, `ok` without one, or `skipped` if there was nothing to check. */
export type StepVerdict = "ok" | Level | "skipped"

export interface StepResult {
  readonly id: string
  readonly title: string
  readonly verdict: StepVerdict
  /** What was seen, in one line. */
  readonly seen: string
  readonly findings: ReadonlyArray<Finding>
}

/** Whether one client can use the server, as far as the examination shows. */
export interface ClientVerdict {
  readonly client: Client
  /** `fails`: an error affects it. `limited`: only warnings do. */
  readonly verdict: "works" | "limited" | "fails"
  /** The first step that fails for this client. */
  readonly stopsAt?: string | undefined
  /** The code of the finding behind the verdict. */
  readonly because?: string | undefined
}

/** The result of examining one MCP server. */
export interface Report {
  /** Without credentials and query. */
  readonly url: string
  /** The name of the server in the configuration, if it is one of several. */
  readonly server?: string | undefined
  /**
   * `healthy`: no errors. `broken`: an error affects clients. `unknown`: the server could not be reached, or the
   * examination did not end in time.
   */
  readonly verdict: "healthy" | "broken" | "unknown"
  readonly steps: ReadonlyArray<StepResult>
  readonly clients: ReadonlyArray<ClientVerdict>
  readonly requests: number
  readonly millis: number
}

export const verdictOf = (findings: ReadonlyArray<Finding>): StepVerdict =>
  findings.map(({ level }) => level).toSorted(byLevel)[0] ?? "ok"

/** All findings with their step, the worst first; those of one level in the order of the steps. */
export const worstFirst = (
  steps: ReadonlyArray<StepResult>
): ReadonlyArray<{ readonly step: StepResult; readonly finding: Finding }> =>
  steps.flatMap((step) => step.findings.map((finding) => ({ step, finding })))
    .toSorted((one, other) => byLevel(one.finding.level, other.finding.level))

/** The first error in the order of the steps, which should be fixed first. */
export const firstBreak = (
  steps: ReadonlyArray<StepResult>
): { readonly step: StepResult; readonly finding: Finding } | undefined => {
  for (const step of steps) {
    const finding = step.findings.find(({ level }) => level === "error")
    if (finding !== undefined) return { step, finding }
  }
  return undefined
}

/** Decides for each client whether it can use the server. */
const clientVerdicts = (steps: ReadonlyArray<StepResult>): ReadonlyArray<ClientVerdict> => {
  const found = steps.flatMap((step) => step.findings.map((finding) => ({ step, finding })))
  return clients.map((client): ClientVerdict => {
    const of = (level: Level) =>
      found.find(({ finding }) => finding.level === level && finding.clients.includes(client))
    const error = of("error")
    if (error !== undefined) {
      return { client, verdict: "fails", stopsAt: error.step.id, because: error.finding.code }
    }
    const warning = of("warning")
    return warning === undefined
      ? { client, verdict: "works" }
      : { client, verdict: "limited", because: warning.finding.code }
  })
}

const unreachable: ReadonlySet<string> = new Set(["no-response", "unreachable"])

const overallVerdict = (steps: ReadonlyArray<StepResult>, isComplete: boolean): Report["verdict"] => {
  const isReached = steps.every(({ findings }) => findings.every(({ code }) => !unreachable.has(code)))
  if (!isComplete || !isReached) return "unknown"
  return steps.some(({ verdict }) => verdict === "error") ? "broken" : "healthy"
}

export const makeReport = (
  { isComplete, ...rest }: Pick<Report, "millis" | "requests" | "server" | "steps" | "url"> & {
    /** Whether all steps ended in time. */
    readonly isComplete: boolean
  }
): Report => ({
  ...rest,
  verdict: overallVerdict(rest.steps, isComplete),
  clients: clientVerdicts(rest.steps)
})

export const withStepsBefore = (before: ReadonlyArray<StepResult>, report: Report): Report =>
  makeReport({ ...report, steps: [...before, ...report.steps], isComplete: report.verdict !== "unknown" })
