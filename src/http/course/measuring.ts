/** Counts and times requests, if metrics are read. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { messageDecision, requestDecision } from "../../audit/auditDecision.ts"
import { carryOverValue } from "../../config/carryOver.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { BoundedNames, otherName } from "../../metrics/BoundedNames.ts"
import { MeasureRequests } from "../../metrics/MeasureRequests.ts"
import { counter, gauge, histogram } from "../../metrics/series.ts"
import { SeriesCache } from "../../metrics/SeriesCache.ts"
import { clientClosedRequest } from "../accessLog.ts"
import type { Exchange } from "../Exchange.ts"
import { measuredMethod } from "../measuredMethod.ts"

/** The maximum number of tools shown by name, in addition to those that the settings name, for each server. */
const maxTools = 100

/** The maximum number of combinations of method, status and reason, for each server. */
const maxKinds = 1_000

/** Functions to call at the steps of a request. They are not effects, because every request calls them. */
export interface Measure {
  /** Called when the verification of a token begins. Call the returned function with the outcome. */
  readonly verifying: () => (outcome: "accepted" | "rejected" | "unavailable") => void
  /** Called when a request is sent to the MCP server. Call the returned function for each head of a response. */
  readonly sent: () => () => void
  /** Called when a response of the MCP server that has a body begins to be forwarded. */
  readonly relayed: (exchange: Exchange, type: string | ReadonlyArray<string> | undefined) => void
  /** Called when the response has ended, completely or not. */
  readonly ended: (exchange: Exchange) => void
}

const isEventStream = (type: string | ReadonlyArray<string> | undefined): boolean =>
  typeof type === "string" && /^\s*text\/event-stream\s*(?:;|$)/i.test(type)

/** The reason of an error, from the fixed lists of `errors`. */
const reasonOf = ({ error }: Exchange): string => {
  if (error === undefined) return "none"
  return "reason" in error ? error.reason : error._tag
}

/** The tools that the settings name literally, not by a pattern. */
const configuredTools = ({ policy, rateLimits }: GatewaySettings): ReadonlyArray<string> =>
  [
    ...(policy?.rules ?? []).flatMap(({ tools = [] }) => tools.map(({ pattern }) => pattern)),
    ...rateLimits.flatMap(({ tools = [] }) => tools)
  ].filter((name) => !name.includes("*"))

const serverLabel = ({ serverName, servers }: GatewaySettings): string => {
  if (serverName !== "") return serverName
  return servers.length > 0 ? "none" : "default"
}

/** Builds the functions that measure the requests of one MCP server; `undefined` if requests are not measured. */
export const makeMeasure = Effect.fnUntraced(function*(settings: GatewaySettings) {
  if (!(yield* MeasureRequests)) return undefined
  const context = yield* Effect.context<never>()
  const clock = yield* Clock.Clock
  const server = serverLabel(settings)
  const seconds = (since: bigint): number => Number(clock.currentTimeNanosUnsafe() - since) / 1e9

  // Kept when the configuration is reloaded: otherwise each reload would allow `maxTools` and `maxKinds` more series.
  const { calls, durations, kinds, seenTools } = yield* carryOverValue("measured series", undefined, () => ({
    kinds: new SeriesCache<ReturnType<typeof counter>>(maxKinds),
    durations: new SeriesCache<ReturnType<typeof histogram>>(maxKinds),
    calls: new SeriesCache<ReturnType<typeof counter>>(maxKinds),
    seenTools: new Set<string>()
  }))
  const tools = new BoundedNames(maxTools, configuredTools(settings), seenTools)
  const upstream = histogram("mcp_authorizer.upstream.duration", { server })
  const streams = gauge("mcp_authorizer.open_streams", { server })
  const policyErrors = counter("mcp_authorizer.policy.errors", { server })
  const verification = {
    accepted: histogram("mcp_authorizer.verification.duration", { server, outcome: "accepted" }),
    rejected: histogram("mcp_authorizer.verification.duration", { server, outcome: "rejected" }),
    unavailable: histogram("mcp_authorizer.verification.duration", { server, outcome: "unavailable" })
  }
  const otherKind = counter("mcp_authorizer.requests", {
    server,
    method: otherName,
    status: otherName,
    reason: otherName
  })
  // The series must exist with 0 before the first error: alerts on its increase would miss the first one otherwise.
  policyErrors.updateUnsafe(0, context)
  streams.modifyUnsafe(0, context)

  const countCall = (name: string, decision: string): void => {
    const tool = tools.labelOf(name, decision === "allowed")
    const call = (shown: string) => counter("mcp_authorizer.tool.calls", { server, tool: shown, decision })
    calls.get(`${decision} ${tool}`, () => call(tool), () => call(otherName)).updateUnsafe(1, context)
  }

  const countCalls = (exchange: Exchange): void => {
    const { measured, decisions, error, operations, wasSent } = exchange
    if (operations === undefined) {
      if (measured === undefined || measured.tools.length === 0) return
      const whole = requestDecision(error, wasSent)
      for (const tool of measured.tools) countCall(tool, whole)
      return
    }
    for (const [index, { subject }] of operations.entries()) {
      const decision = decisions?.[index]
      if (decision?._tag === "Denied" && decision.failed === true) policyErrors.updateUnsafe(1, context)
      if (subject?.kind !== "tool") continue
      const whole = requestDecision(error, wasSent)
      countCall(subject.name, decision === undefined ? whole : messageDecision(decision, whole))
    }
  }

  const measure: Measure = {
    verifying: () => {
      const began = clock.currentTimeNanosUnsafe()
      return (outcome) => verification[outcome].updateUnsafe(seconds(began), context)
    },
    sent: () => {
      let began = clock.currentTimeNanosUnsafe()
      return () => {
        upstream.updateUnsafe(seconds(began), context)
        // The request may be sent again: then its next head is timed from here.
        began = clock.currentTimeNanosUnsafe()
      }
    },
    relayed: (exchange, type) => {
      if (exchange.isStream || !isEventStream(type)) return
      exchange.isStream = true
      streams.modifyUnsafe(1, context)
    },
    ended: (exchange) => {
      const { status = clientClosedRequest } = exchange
      const method = measuredMethod(exchange)
      const reason = reasonOf(exchange)
      if (exchange.isStream) streams.modifyUnsafe(-1, context)
      exchange.isStream = false
      kinds.get(
        `${status} ${method} ${reason}`,
        () => counter("mcp_authorizer.requests", { server, method, status: String(status), reason }),
        () => otherKind
      ).updateUnsafe(1, context)
      const duration = () => histogram("mcp_authorizer.request.duration", { server, method })
      durations.get(method, duration, duration).updateUnsafe(seconds(exchange.startedAtNanos), context)
      countCalls(exchange)
    }
  }
  return measure
})
