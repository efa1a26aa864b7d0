import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AuditReadsMessages } from "../../audit/AuditLog.ts"
import { carryOverValue } from "../../config/carryOver.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { DiscoveryNotSupported, InvalidToken, NotFound } from "../../errors/GatewayError.ts"
import { makeFacade } from "../../facade/Facade.ts"
import { SharedIo } from "../../fairness/SharedIo.ts"
import { makeSessionSeal } from "../../forward/SessionSeal.ts"
import { makeUpstream } from "../../upstream/makeUpstream.ts"
import { ProviderRegistry } from "../../verify/ProviderRegistry.ts"
import { TokenVerifier } from "../../verify/TokenVerifier.ts"
import { accessLogWith, clientClosedRequest, makeExchangeFields } from "../accessLog.ts"
import { makeAudit, withAudit } from "../audit.ts"
import { type BodyMemory, makeBodyMemory } from "../bodyMemory.ts"
import { makeDiscovery, publishedKeys } from "../discovery.ts"
import type { OnError } from "../errorResponse.ts"
import { begin, type Ending, type Exchange } from "../Exchange.ts"
import { ExchangeObserver, withObserver } from "../ExchangeObserver.ts"
import { makeFinishTrace, upstreamAttributes } from "../finishTrace.ts"
import { readinessResponse, Stopping } from "../health.ts"
import type { RequestHead } from "../requestHead.ts"
import { beginTrace, type Tracing } from "../RequestTrace.ts"
import { type FindRoute, makeGatewayRoute, makeRoute } from "../route.ts"
import { makeArrival } from "./arrival.ts"
import { makeForwarding } from "./forwarding.ts"
import { makeLimiter } from "./limiting.ts"
import { makeMeasure, type Measure } from "./measuring.ts"
import { makeOwnResponses, type OwnResponses } from "./ownResponses.ts"
import { makePerform, type Perform, type PerformServices } from "./perform.ts"
import type { Next, Sending } from "./steps.ts"

/**
 * The steps of a request through the gateway, and their order.
 *
 * A driver begins an exchange, takes the steps that `next` names until there is a response or a request to send, takes
 * the steps that `Sending.head` names for the MCP server's response, and writes the log entry at the end. It contains
 * no rules.
 */
export interface Course {
  /**
   * @param startedAtNanos when the request arrived, by Effect's clock
   * @param tracing what the spans of the request are made with, if the program has a tracer
   */
  readonly begin: (request: RequestHead, startedAtNanos: bigint, tracing: Tracing | undefined) => Exchange
  readonly next: (exchange: Exchange) => Next<Sending>
  readonly perform: Perform
  readonly responses: OwnResponses
  /** Ends the span of an exchange that is over, and writes its log entry and its audit entries. */
  readonly log: (exchange: Exchange, ended: Ending | undefined) => Effect.Effect<void>
  /** Whether there is an audit log, so that drivers must call `log` regardless of the log level. */
  readonly audits: boolean
  /** Measures requests; drivers call `ended` when a response has ended. `undefined` if requests are not measured. */
  readonly measure: Measure | undefined
  readonly memory: BodyMemory
}

/** The parts in which the course of an MCP server differs from that of the gateway itself. */
interface CourseParts extends Omit<PerformServices, "discovery" | "limiter" | "sessions" | "upstream"> {
  readonly discovery: Effect.Success<ReturnType<typeof makeDiscovery>>
  readonly routeOf: FindRoute
}

const makeWith = Effect.fnUntraced(function*(
  settings: GatewaySettings,
  onError: OnError | undefined,
  { discovery, facade, readiness, routeOf, verifier }: CourseParts
) {
  const clock = yield* Clock.Clock
  const sharedIo = yield* SharedIo
  const responses = makeOwnResponses(settings, onError)
  const arrive = makeArrival(settings, responses, routeOf, verifier.peek)
  const upstream = upstreamAttributes(settings)
  const fieldsOf = yield* makeExchangeFields(settings)
  const accessLog = accessLogWith(fieldsOf)
  const audit = yield* makeAudit(settings, clientClosedRequest)
  const audits = audit !== undefined
  const readsMessages = audits && (
    (yield* AuditReadsMessages) || settings.auditLog !== undefined || settings.auditArguments.length > 0
  )
  const measure = yield* makeMeasure(settings)
  const { authorizer, keySet } = yield* Effect.orDie(makeUpstream(settings))
  const forwarding = makeForwarding(
    settings,
    responses,
    () => clock.currentTimeMillisUnsafe(),
    readsMessages,
    measure,
    authorizer.peek
  )
  const course: Course = {
    begin: (request, startedAtNanos, tracing) =>
      begin(settings, request, startedAtNanos, tracing && beginTrace(tracing, request, startedAtNanos, upstream)),
    next: (exchange) => arrive(exchange, forwarding),
    perform: makePerform({
      verifier,
      limiter: yield* Effect.orDie(makeLimiter(settings)),
      sessions: yield* makeSessionSeal(settings),
      upstream: authorizer,
      discovery: (name, publicUrl) => name === "jwks" ? publishedKeys(keySet) : discovery(name, publicUrl),
      readiness,
      facade
    }, measure),
    responses,
    log: yield* makeFinishTrace(
      settings,
      fieldsOf,
      withObserver(withAudit(accessLog, audit), settings, yield* ExchangeObserver)
    ),
    audits,
    measure,
    memory: yield* carryOverValue(
      "memory",
      [settings.maxBodyBytes, settings.maxBufferedBytes],
      () => makeBodyMemory(settings, sharedIo)
    )
  }
  return course
})

/** Builds the course of the requests for one MCP server. */
export const makeCourse = Effect.fnUntraced(function*(settings: GatewaySettings, onError: OnError | undefined) {
  const registry = yield* ProviderRegistry
  const verifier = yield* TokenVerifier
  const stopping = yield* Stopping
  return yield* makeWith(settings, onError, {
    routeOf: makeRoute(settings),
    verifier,
    discovery: yield* makeDiscovery(settings),
    facade: yield* makeFacade(settings),
    readiness: Effect.map(registry.readiness, (providers) => readinessResponse([settings], providers, stopping))
  })
})

const noServer = new InvalidToken({
  reason: "UnknownToken",
  provider: undefined,
  detail: "the request is for no server"
})

/**
 * Builds the course of requests that no MCP server is configured for: probes, preflights, and unknown paths.
 *
 * @param readiness returns the readiness of all providers of the gateway
 */
export const makeFrontCourse = (
  settings: GatewaySettings,
  onError: OnError | undefined,
  readiness: ProviderRegistry["Service"]["readiness"]
) =>
  makeWith(settings, onError, {
    routeOf: makeGatewayRoute(),
    // These services are never used: the gateway's own routes are not protected, and have no documents or facade.
    verifier: { verify: () => Effect.fail(noServer) },
    discovery: () => Effect.fail(new DiscoveryNotSupported()),
    facade: () => Effect.fail(new NotFound()),
    readiness: Effect.flatMap(
      Stopping,
      (stopping) => Effect.map(readiness, (providers) => readinessResponse(settings.servers, providers, stopping))
    )
  })
