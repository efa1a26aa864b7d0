/** What a process has done since its start, in a form that processes can send each other and add up. Pure. */
import { binCount } from "./durations.ts"

/** The last error of something. Times are milliseconds since 1970. */
export interface ErrorActivity {
  readonly at: number
  readonly error: string
  readonly detail?: string
}

/** The requests for one MCP server. */
export interface ServerActivity {
  readonly passed: number
  readonly rejected: number
  readonly failed: number
  /** Durations of `POST` requests that were sent to the MCP server, in the bins of `durations.ts`. */
  readonly durations: ReadonlyArray<number>
  readonly lastResponseAt?: number
  readonly lastError?: ErrorActivity
}

export interface ProviderActivity {
  readonly accepted: number
  readonly rejected: number
  readonly lastAcceptedAt?: number
  readonly lastError?: ErrorActivity
}

/** The requests that ended with one kind of error. */
export interface RejectionActivity {
  readonly count: number
  readonly last: ErrorActivity & { readonly server?: string; readonly provider?: string }
}

/** The activity, each part by name. No value ever decreases. */
export interface Activity {
  readonly servers: Readonly<Record<string, ServerActivity>>
  readonly providers: Readonly<Record<string, ProviderActivity>>
  /** The keys are those of `rejections.ts`. */
  readonly rejections: Readonly<Record<string, RejectionActivity>>
}

/** The activity of a process that has just started. */
export const noActivity: Activity = { servers: {}, providers: {}, rejections: {} }

/** The activity of a server without requests. */
export const idleServer: ServerActivity = {
  passed: 0,
  rejected: 0,
  failed: 0,
  durations: Array.from({ length: binCount }, () => 0)
}

/** The activity of a provider without requests. */
export const idleProvider: ProviderActivity = { accepted: 0, rejected: 0 }

const later = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one

const laterError = <E extends ErrorActivity>(one: E | undefined, other: E | undefined): E | undefined =>
  one === undefined || (other !== undefined && other.at > one.at) ? other : one

/** Removes the members that are `undefined`. */
const known = <A extends object>(value: A): { readonly [K in keyof A]: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    readonly [
      // Only members that are `undefined` are missing.
      K in keyof A
    ]: Exclude<A[K], undefined>
  }

const addServers = (one: ServerActivity, other: ServerActivity): ServerActivity =>
  known({
    passed: one.passed + other.passed,
    rejected: one.rejected + other.rejected,
    failed: one.failed + other.failed,
    durations: one.durations.map((count, bin) => count + (other.durations[bin] ?? 0)),
    lastResponseAt: later(one.lastResponseAt, other.lastResponseAt),
    lastError: laterError(one.lastError, other.lastError)
  })

const addProviders = (one: ProviderActivity, other: ProviderActivity): ProviderActivity =>
  known({
    accepted: one.accepted + other.accepted,
    rejected: one.rejected + other.rejected,
    lastAcceptedAt: later(one.lastAcceptedAt, other.lastAcceptedAt),
    lastError: laterError(one.lastError, other.lastError)
  })

const addRejections = (one: RejectionActivity, other: RejectionActivity): RejectionActivity => ({
  count: one.count + other.count,
  last: laterError(one.last, other.last) ?? one.last
})

const addAll = <A>(
  one: Readonly<Record<string, A>>,
  other: Readonly<Record<string, A>>,
  add: (one: A, other: A) => A
): Readonly<Record<string, A>> => {
  const all = new Map(Object.entries(one))
  for (const [name, value] of Object.entries(other)) {
    const present = all.get(name)
    all.set(name, present === undefined ? value : add(present, value))
  }
  return Object.fromEntries(all)
}

export const mergeActivities = (processes: Iterable<Activity>): Activity => {
  let merged = noActivity
  for (const { providers, rejections, servers } of processes) {
    merged = {
      servers: addAll(merged.servers, servers, addServers),
      providers: addAll(merged.providers, providers, addProviders),
      rejections: addAll(merged.rejections, rejections, addRejections)
    }
  }
  return merged
}
