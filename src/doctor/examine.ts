import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import { type Finding, grouped } from "./Finding.ts"
import { end } from "./messages.ts"
import { providerFix } from "./quirks.ts"
import { makeReport, type Report, type StepResult, verdictOf } from "./Report.ts"
import { type Call, type Known, type Outcome, skipped, type Step } from "./Step.ts"
import { steps } from "./steps.ts"
import { Exchanges } from "./wire/Exchanges.ts"
import { layer } from "./wire/layer.ts"
import { shownUrl } from "./wire/Reply.ts"

export interface ExamineOptions {
  /** The URL of the MCP server. */
  readonly url: URL
  /** A token such as clients have. Sent only to the origin of the URL, and never shown. */
  readonly token?: Redacted.Redacted<string> | undefined
  readonly server?: string | undefined
  /** Whether to register a client, as clients do, and to delete it again if the provider supports that. */
  readonly register?: boolean | undefined
  /** A tool to call, to measure its stream. */
  readonly call?: Call | undefined
  /** How long to listen to event streams, in milliseconds. Default: 3 seconds. */
  readonly listenMillis?: number | undefined
  /** How long the examination may take, in milliseconds. Default: 2 minutes. */
  readonly totalMillis?: number | undefined
}

/** Reports how far an examination is. */
export interface Progress {
  readonly begins: (step: Pick<Step, "id" | "title">) => Effect.Effect<void>
  readonly ended: (result: StepResult) => Effect.Effect<void>
}

/** Called with the progress. Default: no one. */
export const CurrentProgress = Context.Reference<Progress>("mcp-authorizer/doctor/examine/CurrentProgress", {
  defaultValue: () => ({ begins: () => Effect.void, ended: () => Effect.void })
})

const defaultTotalMillis = 120_000
const defaultListenMillis = 3_000

const monotonicMillis = Effect.map(Clock.Clock, (clock) => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000)

/** Replaces the fix of a finding by a better one for the provider, if there is one. */
const withProviderFix = (finding: Finding, { servers, resource }: Known): Finding => {
  const fix = providerFix(resource?.servers ?? servers.map(({ issuer }) => issuer), finding.code)
  return fix === undefined ? finding : { ...finding, fix }
}

/** Runs the steps in order. Each step gets what the previous ones have found. */
const walk = Effect.fnUntraced(function*(begin: Known, results: Ref.Ref<ReadonlyArray<StepResult>>) {
  const progress = yield* CurrentProgress
  const { send } = yield* Exchanges
  const known: { -readonly [Name in keyof Known]: Known[Name] } = { ...begin }
  let isEnded = false
  for (const step of steps) {
    yield* progress.begins(step)
    const outcome: Outcome = isEnded ? skipped("not reached") : yield* step.check(known)
    Object.assign(known, outcome.learned)
    isEnded = isEnded || outcome.isEnd === true
    const findings = grouped(outcome.findings).map((finding) => withProviderFix(finding, known))
    const result: StepResult = {
      id: step.id,
      title: step.title,
      verdict: outcome.isSkipped === true && findings.length === 0 ? "skipped" : verdictOf(findings),
      seen: outcome.seen,
      findings
    }
    yield* Ref.update(results, (before) => [...before, result])
    yield* progress.ended(result)
  }
  // Ends the session, so that the doctor leaves nothing behind.
  if (known.session?.id !== undefined) yield* send({ ...end(known.url, known.session), withToken: true })
})

/**
 * Examines one MCP server with the steps of a client: from the first request without a token to event streams.
 *
 * Use it for any server, with or without a gateway in front. Never fails. Sends at most 250 requests, each limited in
 * time and size. Changes nothing at the server except for sessions, which it ends.
 *
 * @see MCP Authorization; RFC 9728; RFC 8414; RFC 6750
 */
export const examine = (options: ExamineOptions): Effect.Effect<Report, never, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const { call, listenMillis = defaultListenMillis, register = false, token, totalMillis = defaultTotalMillis, url } =
      options
    const begun = yield* monotonicMillis
    const results = yield* Ref.make<ReadonlyArray<StepResult>>([])
    const { sent } = yield* Exchanges
    const begin: Known = { url, token, register, call, listenMillis, isOpen: false, isModern: false, servers: [] }
    const isComplete = yield* walk(begin, results).pipe(
      Effect.as(true),
      Effect.timeoutOrElse({ duration: totalMillis, orElse: () => Effect.succeed(false) })
    )
    const seen = yield* Ref.get(results)
    const missing = steps.slice(seen.length).map(({ id, title }): StepResult => ({
      id,
      title,
      verdict: "skipped",
      seen: "the time was over",
      findings: []
    }))
    return makeReport({
      url: shownUrl(url.href),
      ...(options.server === undefined ? {} : { server: options.server }),
      steps: [...seen, ...missing],
      requests: yield* sent,
      millis: Math.round((yield* monotonicMillis) - begun),
      isComplete
    })
  }).pipe(Effect.provide(layer({ target: options.url, token: options.token })))
