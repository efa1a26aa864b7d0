/**
 * Reads and writes the trace context of a request in its fields.
 *
 * Source: W3C Trace Context, level 1.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { isTraced } from "./spans.ts"

/** The fields that carry a trace context, in lower case. */
export const parentField = "traceparent"
export const stateField = "tracestate"

/**
 * Whether trace contexts are read from requests, and sent to the MCP server and to providers. Default: yes.
 *
 * Use it to separate the gateway's traces from those of its callers. Without a `Tracer` it has no effect, because the
 * fields of clients are forwarded unchanged.
 */
export const PropagatesContext = Context.Reference<boolean>("mcp-authorizer/trace/PropagatesContext", {
  defaultValue: () => true
})

// For later versions, only the beginning is defined (section 3.2.4); `ff` is not a version.
const form = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

const isZero = (id: string): boolean => /^0+$/.test(id)

/** Parses `traceparent`; `undefined` if it is missing or not valid, which starts a new trace (section 3.2.2). */
export const readParent = (value: string | undefined): Tracer.ExternalSpan | undefined => {
  const [, version, traceId = "", spanId = "", flags = "", more] = form.exec(value ?? "") ?? []
  if (version === undefined || isZero(traceId) || isZero(spanId)) return undefined
  if (version === "00" && more !== undefined) return undefined
  return Tracer.externalSpan({ traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 })
}

/** Writes `traceparent` for a request that is sent in this span. */
export const writeParent = ({ sampled, spanId, traceId }: Tracer.AnySpan): string =>
  `00-${traceId.padStart(32, "0")}-${spanId}-${sampled ? "01" : "00"}`

/** Returns `traceparent` for a request that the current fiber sends; `undefined` if it is not traced. */
export const currentParent: Effect.Effect<string | undefined> = Effect.withFiber((fiber) => {
  const { span } = fiber.cache
  return Effect.succeed(
    span !== undefined && isTraced(fiber) && fiber.getRef(PropagatesContext) ? writeParent(span) : undefined
  )
})
