/**
 * Records the gateway's decisions for the status page: sums, the last error of each server and provider, and the latest
 * decisions.
 */
import type { AuditEntry } from "../../audit/AuditEntry.ts"
import type { WriteAuditEntry } from "../../audit/AuditLog.ts"
import { shownText, withoutCredential } from "../../audit/shown.ts"
import type { GatewayError } from "../../errors/GatewayError.ts"
import type { ObservedExchange, ObserveExchange } from "../../http/ExchangeObserver.ts"
import { mcpRoute } from "../../http/routes.ts"
import { rejectionKey } from "../rejections.ts"
import {
  type Activity,
  type ErrorActivity,
  idleProvider,
  idleServer,
  type ProviderActivity,
  type RejectionActivity,
  type ServerActivity
} from "./Activity.ts"
import { binOf } from "./durations.ts"

export const keptDecisions = 200

/** More servers and providers than a configuration has. Limits what repeated reloads can add. */
const maxNames = 1_024

/** Records the exchanges of one process, in constant memory. */
export interface Recorder {
  readonly observe: ObserveExchange
  readonly write: WriteAuditEntry
  readonly activity: () => Activity
  /** The newest first. */
  readonly decisions: () => ReadonlyArray<AuditEntry>
}

type Writable<A> = { -readonly [K in keyof A]: A[K] }

interface ServerNotes extends Writable<Omit<ServerActivity, "durations">> {
  readonly durations: Array<number>
}

/** Returns the record of a name, which is created if necessary. */
const notesOf = <A>(all: Map<string, A>, name: string, make: () => A): A => {
  const known = all.get(name)
  if (known !== undefined) return known
  const begun = make()
  if (all.size < maxNames) all.set(name, begun)
  return begun
}

/** The text of an error in the log, shortened, because the status has one for each server and provider. */
const errorNotes = (error: GatewayError, { endedAt, exchange }: ObservedExchange): ErrorActivity => {
  const detail = "detail" in error ? error.detail : undefined
  return {
    at: endedAt,
    error: error._tag,
    ...(detail === undefined
      ? {}
      : { detail: shownText(withoutCredential(detail, exchange.authorization), 1_024) })
  }
}

const providerOf = (error: GatewayError): string | undefined => "provider" in error ? error.provider : undefined

/** Returns whether the MCP server caused the failure, as far as the gateway can tell. */
const isOfServer = ({ _tag }: GatewayError): boolean => _tag === "UpstreamUnavailable" || _tag === "UpstreamTimeout"

const isRequest = ({ error, route }: ObservedExchange["exchange"]): boolean =>
  route?.row === mcpRoute || (error !== undefined && route?.row.isProbe !== true)

export const makeRecorder = (): Recorder => {
  const servers = new Map<string, ServerNotes>()
  const providers = new Map<string, Writable<ProviderActivity>>()
  const rejections = new Map<string, Writable<RejectionActivity>>()
  const ring: Array<AuditEntry> = []
  let next = 0

  const noteServer = (observed: ObservedExchange): void => {
    const { endedAt, durationMillis, exchange, server } = observed
    const { error, request, status, wasSent } = exchange
    const notes = notesOf<ServerNotes>(servers, server, () => ({ ...idleServer, durations: [...idleServer.durations] }))
    if (status !== undefined && status >= 500) notes.failed++
    else if (error !== undefined) notes.rejected++
    // Otherwise the client disconnected before there was a decision.
    else if (wasSent) notes.passed++
    if (error !== undefined && isOfServer(error)) notes.lastError = errorNotes(error, observed)
    if (!wasSent || status === undefined || (error !== undefined && isOfServer(error))) return
    notes.lastResponseAt = endedAt
    if (error === undefined && status >= 500) {
      notes.lastError = { at: endedAt, error: "Status", detail: `the MCP server responded with ${status}` }
    }
    if (request.method === "POST") {
      const bin = binOf(durationMillis)
      notes.durations[bin] = (notes.durations[bin] ?? 0) + 1
    }
  }

  const noteProvider = (observed: ObservedExchange): void => {
    const { endedAt, exchange: { error, identity } } = observed
    const name = identity?.provider ?? (error === undefined ? undefined : providerOf(error))
    if (name === undefined) return
    const notes = notesOf<Writable<ProviderActivity>>(providers, name, () => ({ ...idleProvider }))
    if (identity !== undefined) {
      notes.accepted++
      notes.lastAcceptedAt = endedAt
    } else if (error?._tag === "ProviderUnavailable") notes.lastError = errorNotes(error, observed)
    else notes.rejected++
  }

  const noteError = (error: GatewayError, observed: ObservedExchange): void => {
    const provider = providerOf(error)
    const last = {
      ...errorNotes(error, observed),
      ...(observed.server === "" ? {} : { server: observed.server }),
      ...(provider === undefined ? {} : { provider })
    }
    const notes = notesOf(rejections, rejectionKey(error), () => ({ count: 0, last }))
    notes.count++
    notes.last = last
  }

  return {
    observe: (observed) => {
      const { exchange } = observed
      if (!isRequest(exchange)) return
      noteServer(observed)
      noteProvider(observed)
      if (exchange.error !== undefined) noteError(exchange.error, observed)
    },
    write: (entry) => {
      ring[next] = entry
      next = (next + 1) % keptDecisions
    },
    activity: () => ({
      servers: Object.fromEntries(
        [...servers].map(([name, notes]) => [name, { ...notes, durations: [...notes.durations] }])
      ),
      providers: Object.fromEntries([...providers].map(([name, notes]) => [name, { ...notes }])),
      rejections: Object.fromEntries([...rejections].map(([key, notes]) => [key, { ...notes }]))
    }),
    decisions: () => [...ring.slice(next), ...ring.slice(0, next)].toReversed()
  }
}

/** The latest decisions of several processes, the newest first. */
export const mergeDecisions = (processes: Iterable<ReadonlyArray<AuditEntry>>): ReadonlyArray<AuditEntry> =>
  [...processes].flat().toSorted((one, other) => one.time < other.time ? 1 : one.time > other.time ? -1 : 0)
    .slice(0, keptDecisions)
