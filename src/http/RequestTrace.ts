/** The spans of one request: the one that begins with its arrival, and those of the requests to the MCP server. */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { UpstreamError } from "../errors/GatewayError.ts"
import { withoutStack } from "../errors/withoutStack.ts"
import type { Dispatch, PendingCall, ResponseHead, UpstreamRequest } from "../forward/GatewayClient.ts"
import { isTraced } from "../trace/spans.ts"
import { parentField, PropagatesContext, readParent, stateField, writeParent } from "../trace/traceContext.ts"
import type { RequestHead } from "./requestHead.ts"

/** The tracer and the settings that spans of requests are made with. */
export interface Tracing {
  readonly tracer: Tracer.Tracer
  readonly propagates: boolean
  readonly clock: Clock.Clock
  /** The span that the host program has begun for the request, if there is one. */
  readonly current: Tracer.AnySpan | undefined
}

/** Returns the tracing of a fiber; `undefined` if the program has no tracer, or has switched tracing off. */
export const tracingOf = (fiber: Fiber.Fiber<unknown, unknown>, clock: Clock.Clock): Tracing | undefined => {
  const { span, tracer, tracerEnabled } = fiber.cache
  if (!isTraced(fiber) || tracer === undefined || !tracerEnabled) return undefined
  return { tracer, clock, propagates: fiber.getRef(PropagatesContext), current: span }
}

type Attributes = Readonly<Record<string, unknown>>

export interface RequestTrace extends Omit<Tracing, "current"> {
  /** The span of the request, of kind `server`. */
  readonly span: Tracer.Span
  /** The attributes of the spans of requests to the MCP server. */
  readonly upstream: Attributes
}

const begin = (
  { clock, tracer }: Pick<Tracing, "clock" | "tracer">,
  options: {
    readonly name: string
    readonly kind: Tracer.SpanKind
    readonly parent: Tracer.AnySpan | undefined
    readonly startTime?: bigint
  }
): Tracer.Span =>
  tracer.span({
    name: options.name,
    kind: options.kind,
    parent: Option.fromNullishOr(options.parent),
    annotations: Context.empty(),
    links: [],
    startTime: options.startTime ?? clock.currentTimeNanosUnsafe(),
    root: options.parent === undefined,
    sampled: options.parent?.sampled ?? true
  })

/**
 * Begins the trace of a request: as a child of the span that the program has begun for it, otherwise of the span that
 * `traceparent` names.
 *
 * @param startedAtNanos the arrival of the request
 * @param upstream the address of the MCP server, as attributes
 */
export const beginTrace = (
  { clock, current, propagates, tracer }: Tracing,
  { headers, method }: Pick<RequestHead, "headers" | "method">,
  startedAtNanos: bigint,
  upstream: Attributes
): RequestTrace => {
  const shared = { clock, propagates, tracer, upstream }
  const parent = current ?? (propagates ? readParent(headers[parentField]) : undefined)
  return { ...shared, span: begin(shared, { name: method, kind: "server", parent, startTime: startedAtNanos }) }
}

/** Runs an effect in the span of an exchange, if it has one. */
export const inTrace = <A, E, R>(
  { trace }: { readonly trace: RequestTrace | undefined },
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  trace === undefined
    ? effect
    // `provideService` excludes `ParentSpan` from `R`, which the compiler cannot see to be `R` again.
    : Effect.provideService(effect, Tracer.ParentSpan, trace.span) as Effect.Effect<A, E, R>

/** Renames a span. Effect's own tracers read the name when the span ends; other tracers may keep the first name. */
export const rename = (span: Tracer.Span, name: string): void => {
  Reflect.set(span, "name", name)
}

export const setAttributes = (span: Tracer.Span, attributes: Attributes): void => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) span.attribute(name, value)
  }
}

/** The failure that a span ends with. Its name is the kind of error. */
class SpanFailed extends Data.TaggedError("SpanFailed")<{ readonly message: string }> {}

const failure = (kind: string): Exit.Exit<never, SpanFailed> =>
  Exit.fail(withoutStack(() => {
    const error = new SpanFailed({ message: kind })
    // The name becomes `exception.type` in the exported span.
    error.name = kind
    return error
  }))

/** Ends a span, as failed if there is a kind of error. Does nothing if it has ended. */
export const endSpan = (span: Tracer.Span, clock: Clock.Clock, error: string | undefined): void => {
  span.end(clock.currentTimeNanosUnsafe(), error === undefined ? Exit.void : failure(error))
}

/** The span of one request to the MCP server. */
export interface ForwardSpan {
  readonly span: Tracer.Span
  /** The request, with the span in its `traceparent` field. */
  readonly request: UpstreamRequest
  readonly arrived: (head: ResponseHead) => void
  readonly failed: (error: UpstreamError | undefined) => void
  /** The request was cancelled before there was a response. */
  readonly cancelled: () => void
}

const firstServerError = 500

/**
 * The fields of a request, with this span as its trace context. `tracestate` is only kept next to a valid `traceparent`.
 */
const inContext = (headers: UpstreamRequest["headers"], span: Tracer.Span): UpstreamRequest["headers"] => {
  const { [stateField]: state, ...others } = headers
  const continues = state !== undefined && readParent(headers[parentField])?.traceId === span.traceId
  return { ...others, ...(continues ? { [stateField]: state } : {}), [parentField]: writeParent(span) }
}

/** Begins the span of a request to the MCP server, from the request to the head of its response. */
export const beginForward = (trace: RequestTrace, request: UpstreamRequest): ForwardSpan => {
  const { clock, propagates } = trace
  const span = begin(trace, { name: "mcp-authorizer.forward", kind: "client", parent: trace.span })
  setAttributes(span, { "http.request.method": request.method, ...trace.upstream })
  let isOver = false
  const end = (error?: string) => {
    // Drivers call `cancelled` for every request in the end, also for one that has its response.
    if (isOver) return
    isOver = true
    if (error !== undefined) span.attribute("error.type", error)
    endSpan(span, clock, error)
  }
  return {
    span,
    request: propagates ? { ...request, headers: inContext(request.headers, span) } : request,
    arrived: ({ status }) => {
      if (!isOver) span.attribute("http.response.status_code", status)
      end(status >= firstServerError ? String(status) : undefined)
    },
    failed: (error) => end(error?._tag ?? "fault"),
    cancelled: () => end("cancelled")
  }
}

export const tracedDispatch = (dispatch: Dispatch, trace: RequestTrace): Dispatch => (request, receiver, message) => {
  const forward = beginForward(trace, request)
  const call: PendingCall = dispatch(forward.request, {
    whole: (head, body) => {
      forward.arrived(head)
      receiver.whole(head, body)
    },
    begin: (head, flow) => {
      forward.arrived(head)
      receiver.begin(head, flow)
    },
    piece: (chunk) => receiver.piece(chunk),
    end: () => receiver.end(),
    fail: (error) => {
      forward.failed(error)
      receiver.fail(error)
    },
    fault: (defect) => {
      forward.failed(undefined)
      receiver.fault(defect)
    }
  }, message)
  return {
    cancel: () => {
      forward.cancelled()
      call.cancel()
    },
    startClock: () => call.startClock(),
    stopClock: () => call.stopClock()
  }
}
