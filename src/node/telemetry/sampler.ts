import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { Sampler } from "./Telemetry.ts"

// What a number has room for, of the 56 random bits of a trace id (W3C Trace Context, level 2, section 3.2.2.3).
const digits = 13
const range = 16 ** digits

/** Whether a trace belongs to this share of all traces. Every service with the same share decides alike. */
const isChosen = (traceId: string, ratio: number): boolean =>
  Number.parseInt(traceId.slice(-digits), 16) >= (1 - ratio) * range

/** Makes a tracer that records what the sampler chooses. A span below another one of this process is recorded with it. */
export const sampled = (tracer: Tracer.Tracer, { isParentBased, ratio }: Sampler): Tracer.Tracer =>
  Tracer.make({
    span: (options) => {
      const parent = Option.getOrUndefined(options.parent)
      if (parent?._tag === "Span") return tracer.span({ ...options, sampled: options.sampled && parent.sampled })
      if (parent !== undefined) {
        const isSampled = isParentBased ? parent.sampled : isChosen(parent.traceId, ratio)
        return tracer.span({ ...options, sampled: isSampled })
      }
      const span = tracer.span({ ...options, sampled: true })
      if (isChosen(span.traceId, ratio)) return span
      // The same ids, so that other services decide in the same way. It is never exported, and nor is its parent.
      const { spanId, traceId } = span
      return tracer.span({
        ...options,
        parent: Option.some(Tracer.externalSpan({ traceId, spanId, sampled: false })),
        sampled: false
      })
    }
  })
