/** What needs attention, derived from the status: the first part of the page. Pure. */
import { adviceOf } from "../rejections.ts"
import type { Counts, ProviderStatus, RejectionStatus, ServerStatus, Status } from "./Status.ts"
import { counted, percent, span } from "./words.ts"

export type Level = "bad" | "warn"

/** Something that needs attention, and a link to its details. */
export interface Trouble {
  readonly level: Level
  readonly text: string
  /** The id of an element of the page. */
  readonly where: string
}

const total = ({ failed, passed, rejected }: Counts): number => failed + passed + rejected

/** The states in which a provider works, as in `/readyz`. */
const good: ReadonlySet<string> = new Set(["ready", "fresh", "refreshing", "expired"])

export const providerLevel = ({ ready, state }: ProviderStatus): Level | "ok" | "idle" => {
  if (state === "pending" || state === "empty") return "idle"
  if (!ready) return "bad"
  return good.has(state) ? "ok" : "warn"
}

const stateTexts: Readonly<Record<string, string>> = {
  ready: "works",
  fresh: "keys are current",
  refreshing: "keys are current, being fetched again",
  expired: "keys are fetched again when they are needed",
  stale: "unreachable; its last keys are still used",
  unavailable: "unavailable",
  refused: "rejects the gateway's own credentials",
  pending: "keys are being fetched",
  empty: "keys were not needed yet"
}

/** The state of a provider or a key set in words. */
export const stateText = (state: string): string => stateTexts[state] ?? state

const reasonOf = (provider: ProviderStatus): string | undefined =>
  provider.keySets.find(({ lastFailure }) => lastFailure !== undefined)?.lastFailure ?? provider.lastError?.detail

/** More rejected tokens than one caller causes by mistake. */
const fewest = 5

/** No token of a provider was accepted, usually because its settings do not match those of the gateway. */
const acceptsNone = (provider: ProviderStatus): boolean =>
  provider.accepted === 0 && provider.lastAcceptedAt === undefined && provider.rejected >= fewest

/**
 * Returns the most frequent reason for rejecting tokens of a provider, as far as the latest rejection for each reason
 * shows.
 */
const reasonOfRejections = ({ name }: ProviderStatus, rejections: ReadonlyArray<RejectionStatus>): string => {
  const [most] = rejections.filter(({ last }) => last.provider === name).toSorted((one, other) =>
    other.sinceStart - one.sinceStart
  )
  return most === undefined ?
    "" :
    ` (${adviceOf(most.reason).title}${most.last.detail === undefined ? "" : `: ${most.last.detail}`})`
}

const ofProvider = (
  provider: ProviderStatus,
  index: number,
  rejections: ReadonlyArray<RejectionStatus>
): ReadonlyArray<Trouble> => {
  const level = providerLevel(provider)
  const where = `provider-${index}`
  if (level === "bad" || level === "warn") {
    const reason = reasonOf(provider)
    return [{
      level,
      text: `Provider ${provider.name}: ${stateText(provider.state)}${reason === undefined ? "" : ` (${reason})`}`,
      where
    }]
  }
  return acceptsNone(provider)
    ? [{
      level: "warn",
      text: `Provider ${provider.name}: none of ${counted(provider.rejected, "request")} with its tokens was accepted${
        reasonOfRejections(provider, rejections)
      }`,
      where
    }]
    : []
}

/** The share of failed requests that requires attention. */
const failedShare = 0.05

export const serverTitle = ({ name }: Pick<ServerStatus, "name">): string =>
  name === "" ? "MCP server" : `MCP server ${name}`

/** How serious the state of an MCP server is. */
export const serverLevel = ({ state, traffic: { lastFiveMinutes } }: ServerStatus): Level | "ok" | "idle" => {
  if (state === "failing") return "bad"
  const { failed } = lastFiveMinutes
  if (failed >= fewest && failed > failedShare * total(lastFiveMinutes)) return "warn"
  return state
}

const ofServer = (server: ServerStatus, index: number, now: number): ReadonlyArray<Trouble> => {
  const level = serverLevel(server)
  if (level !== "bad" && level !== "warn") return []
  const { lastError, lastPassedAt, traffic: { lastFiveMinutes } } = server
  const reason = lastError?.detail ?? lastError?.error
  const since = lastPassedAt === undefined ? "has never responded" : `has not responded for ${span(now - lastPassedAt)}`
  return [{
    level,
    text: level === "bad"
      ? `${serverTitle(server)} ${since}${reason === undefined ? "" : ` (${reason})`}`
      : `${serverTitle(server)}: ${
        percent(lastFiveMinutes.failed, total(lastFiveMinutes))
      } of requests failed in the last 5 minutes`,
    where: `server-${index}`
  }]
}

/** The most frequent reason for rejections in the last minutes, except for usual ones. */
const commonest = (rejections: ReadonlyArray<RejectionStatus>): RejectionStatus | undefined =>
  rejections
    .filter(({ reason }) => adviceOf(reason).isUsual !== true && reason.startsWith("InvalidToken"))
    .toSorted((one, other) => other.lastHour - one.lastHour)[0]

/** Reports that every caller is rejected, which indicates a wrong configuration. */
const ofTokens = ({ rejections, traffic: { lastHour } }: Status): ReadonlyArray<Trouble> => {
  const reason = commonest(rejections)
  if (reason === undefined || reason.lastHour < fewest || lastHour.passed > 0) return []
  return [{
    level: "bad",
    text: `No token was accepted in the last hour. Most often: ${adviceOf(reason.reason).title.toLowerCase()} (${
      counted(reason.lastHour, "time")
    })`,
    where: "rejections"
  }]
}

const ofWorkers = ({ workers: { configured, heard } }: Status): ReadonlyArray<Trouble> =>
  heard >= configured
    ? []
    : [{
      level: "warn",
      text: `${configured - heard} of ${counted(configured, "worker")} did not respond; the numbers lack their part`,
      where: "overview"
    }]

/** Reports a rejected reload: the operator assumes that the changed configuration is in use. */
const ofConfiguration = ({ configuration, now }: Status): ReadonlyArray<Trouble> => {
  const failed = configuration?.failed
  if (failed === undefined) return []
  const [first = "", ...others] = failed.problems
  const more = others.length === 0 ? "" : `, and ${counted(others.length, "other problem")}`
  return [{
    level: "bad",
    text: `The configuration that was read ${span(now - failed.at)} ago is not used: ${first}${more}`,
    where: "settings"
  }]
}

/** Everything that needs attention, the most urgent first. */
export const troubles = (status: Status): ReadonlyArray<Trouble> => {
  const found = [
    ...ofWorkers(status),
    ...ofConfiguration(status),
    ...status.providers.flatMap((provider, index) => ofProvider(provider, index, status.rejections)),
    ...status.servers.flatMap((server, index) => ofServer(server, index, status.now)),
    ...ofTokens(status)
  ]
  return [...found.filter(({ level }) => level === "bad"), ...found.filter(({ level }) => level === "warn")]
}
