import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { SpanKind } from "effect/Tracer"

/**
 * The names of the gateway's spans, except those of the requests that it receives and forwards: verifying a token,
 * fetching the keys of a provider, requests about opaque tokens, and each request to a provider.
 */
export type SpanName =
  | "mcp-authorizer.verify"
  | "mcp-authorizer.keys"
  | "mcp-authorizer.introspection"
  | "mcp-authorizer.userinfo"
  | "mcp-authorizer.tokeninfo"
  | "mcp-authorizer.provider.request"

/**
 * Returns whether the program has provided a `Tracer`. Effect's default tracer discards its spans, so it does not
 * count.
 */
export const isTraced = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean => cache.tracer !== undefined

/** Runs an effect in a span, regardless of the tracer. Use it after `isTraced`. */
export const inSpan = <A, E, R>(
  name: SpanName,
  attributes: Readonly<Record<string, unknown>>,
  effect: Effect.Effect<A, E, R>,
  kind: SpanKind = "internal"
): Effect.Effect<A, E, R> => Effect.withSpan(effect, name, { attributes, kind, captureStackTrace: false })

/**
 * Runs an effect in a span if the program has provided a `Tracer`. Otherwise it costs almost nothing.
 *
 * Attributes must not contain tokens, secrets, or anything about the caller.
 */
export const traced = <A, E, R>(
  name: SpanName,
  attributes: () => Readonly<Record<string, unknown>>,
  effect: Effect.Effect<A, E, R>,
  kind?: SpanKind
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => isTraced(fiber) ? inSpan(name, attributes(), effect, kind) : effect)

const defaultPorts: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 }

/** The attribute `server.port` of a URL. */
export const portOf = ({ port, protocol }: URL): number | undefined =>
  port === "" ? defaultPorts[protocol] : Number(port)
