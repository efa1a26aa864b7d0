import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

/** The names of the gateway's spans: verifying a token, a request to a provider, forwarding to the MCP server. */
export type SpanName = "mcp-authorizer.verify" | "mcp-authorizer.provider.request" | "mcp-authorizer.forward"

/** Whether the program has provided a `Tracer`. Effect's default tracer discards its spans, so it does not count. */
export const isTraced = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean => cache.tracer !== undefined

/** Runs an effect in a span, regardless of the tracer. Use it after `isTraced`. */
export const inSpan = <A, E, R>(
  name: SpanName,
  attributes: Readonly<Record<string, unknown>>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.withSpan(effect, name, { attributes, captureStackTrace: false })

/**
 * Runs an effect in a span if the program has provided a `Tracer`. Costs nothing else.
 *
 * Attributes must not contain tokens, secrets, or anything about the caller.
 */
export const traced = <A, E, R>(
  name: SpanName,
  attributes: () => Readonly<Record<string, unknown>>,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.withFiber((fiber) => isTraced(fiber) ? inSpan(name, attributes(), effect) : effect)
