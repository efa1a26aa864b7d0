/** What the status page shows, as data: the response to `GET /status.json`. Times are milliseconds since 1970. */
import type { Json } from "../../identity/Json.ts"

/** How requests ended: sent to the MCP server, rejected by the gateway, or failed (status 5xx). */
export interface Counts {
  readonly passed: number
  readonly rejected: number
  readonly failed: number
}

/** The last hour, one value for each slot of time, the oldest first. */
export interface Series {
  readonly passed: ReadonlyArray<number>
  readonly rejected: ReadonlyArray<number>
  readonly failed: ReadonlyArray<number>
  /** The median duration of `POST` requests, in milliseconds; `null` if the slot has no sample. */
  readonly p50: ReadonlyArray<number | null>
  readonly p95: ReadonlyArray<number | null>
}

/** The requests for one MCP server, or for all. */
export interface Traffic {
  readonly sinceStart: Counts
  readonly lastHour: Counts
  readonly lastFiveMinutes: Counts
  /** Requests in a second, over the last minute. */
  readonly perSecond: number
  /** Durations of the last five minutes, in milliseconds; `null` if there was no request. */
  readonly p50: number | null
  readonly p95: number | null
  readonly series: Series
}

/** The last error of something. */
export interface LastError {
  readonly at: number
  /** The kind of error, as in the log. */
  readonly error: string
  /** What was found and expected, as in the log. */
  readonly detail?: string | undefined
}

/** One MCP server. */
export interface ServerStatus {
  /** Empty if the gateway has one server without a name. */
  readonly name: string
  readonly upstream: string
  /** The URL for clients, if it is known. */
  readonly resource?: string | undefined
  /** `failing`: the last error is newer than the last response. `idle`: nothing was sent to it yet. */
  readonly state: "ok" | "failing" | "idle"
  readonly lastPassedAt?: number | undefined
  readonly lastError?: LastError | undefined
  readonly providers: ReadonlyArray<string>
  readonly traffic: Traffic
}

export interface KeysStatus {
  /** The issuer, or the URL of the keys. */
  readonly source: string
  readonly phase: string
  readonly keys: ReadonlyArray<{ readonly kid?: string | undefined; readonly algorithms: ReadonlyArray<string> }>
  /** Members of the set that cannot be used, and why. */
  readonly skipped: ReadonlyArray<{ readonly name: string; readonly reason: string }>
  readonly fetchedAt?: number | undefined
  readonly freshUntil?: number | undefined
  /** When the next fetch is due: in the background when the keys are used, or after a failure. */
  readonly nextFetchAt?: number | undefined
  /** Failed fetches since the last successful one. */
  readonly failures: number
  readonly lastFailure?: string | undefined
}

export interface ProviderStatus {
  readonly name: string
  readonly type: string
  readonly ready: boolean
  /** As in `/readyz`: the phase of its keys, `ready`, `unavailable`, or `refused`. */
  readonly state: string
  readonly keySets: ReadonlyArray<KeysStatus>
  readonly lastAcceptedAt?: number | undefined
  readonly lastError?: LastError | undefined
  /** Requests with a token of this provider, since the start. */
  readonly accepted: number
  readonly rejected: number
}

/** A reason for which requests were rejected or failed. */
export interface RejectionStatus {
  /** The kind of error, with its reason if it has one: `InvalidToken.Expired`. */
  readonly reason: string
  readonly sinceStart: number
  readonly lastHour: number
  readonly last: LastError & { readonly server?: string | undefined; readonly provider?: string | undefined }
}

export interface EffectiveSetting {
  readonly name: string
  /** In the form of the config file; secrets are masked. */
  readonly value: Json
  /** `program`: code that embeds the gateway. */
  readonly source: "command line" | "environment" | "file" | "default" | "program"
}

/** The configuration in use, in a program that can reload it. */
export interface ConfigurationStatus {
  /** 1 at start, one more with each reload. */
  readonly generation: number
  readonly since: number
  /** The problems of the latest reload, if it was rejected, each with its fix. */
  readonly failed?: { readonly at: number; readonly problems: ReadonlyArray<string> } | undefined
}

/** The whole gateway, all of its processes together. */
export interface Status {
  readonly now: number
  readonly startedAt: number
  readonly version: string
  /** The number of processes that serve requests, and how many of them replied in time. */
  readonly workers: { readonly configured: number; readonly heard: number }
  /** The slots of all series. The last one ended at `until`. */
  readonly slots: { readonly millis: number; readonly count: number; readonly until: number }
  readonly configuration?: ConfigurationStatus | undefined
  readonly traffic: Traffic
  readonly servers: ReadonlyArray<ServerStatus>
  readonly providers: ReadonlyArray<ProviderStatus>
  readonly rejections: ReadonlyArray<RejectionStatus>
  /** Settings that are valid but unwise, as printed at start. */
  readonly warnings: ReadonlyArray<string>
  readonly settings: ReadonlyArray<EffectiveSetting>
}
