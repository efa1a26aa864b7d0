import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import { readFile } from "node:fs/promises"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { type GatewaySettings, serversOf } from "../../config/GatewaySettings.ts"
import { resourceUrl } from "../../config/kinds/resourceUrl.ts"
import { warnings } from "../../config/warnings.ts"
import { configurationStep } from "../../doctor/configuration.ts"
import { CurrentProgress, examine, type ExamineOptions } from "../../doctor/examine.ts"
import { coloured, type Layout, plain, render, stepLine } from "../../doctor/render.ts"
import { type Report, type StepResult, withStepsBefore } from "../../doctor/Report.ts"
import type { Call } from "../../doctor/Step.ts"
import { TlsInspector } from "../../doctor/wire/TlsInspector.ts"
import { isJsonObject } from "../../remote/JsonObject.ts"
import { checkEverything } from "../doctor/checkEverything.ts"
import { inspectTls } from "../doctor/inspectTls.ts"
import { errorCode } from "../errorCode.ts"
import { hostWarnings } from "../hostWarnings.ts"
import * as ProviderClient from "../outbound/ProviderClient.ts"
import { loadSettings } from "./loadSettings.ts"

/** The flags and the argument of the command. */
export interface DoctorOptions {
  readonly url: Option.Option<string>
  readonly tokenFile: Option.Option<string>
  readonly json: boolean
  readonly register: boolean
  readonly call: Option.Option<string>
  readonly arguments: Option.Option<string>
  readonly listen: number
  readonly config: Option.Option<string>
}

/** Ends the process with this code. The reason has already been printed. */
class Unhealthy extends Data.TaggedError("Unhealthy")<{ readonly code: 1 | 2 }> {
  override readonly [Runtime.errorReported] = false
  override readonly [Runtime.errorExitCode] = this.code
}

const cannot = (message: string) => Effect.andThen(Console.error(message), Effect.fail(new Unhealthy({ code: 2 })))

const maxTokenBytes = 65_536

const readToken = (path: string) =>
  Effect.tryPromise({
    try: () => readFile(path === "-" ? "/dev/stdin" : path, "utf8"),
    catch: (error) => errorCode(error)
  }).pipe(
    Effect.catch((code) => cannot(`--token-file: cannot be read (${code}). Name a file that contains only the token.`)),
    Effect.flatMap((text) => {
      const token = text.trim().replace(/^bearer +/i, "")
      return /^[\x21-\x7e]+$/.test(token) && token.length <= maxTokenBytes
        ? Effect.succeed(Redacted.make(token))
        : cannot("--token-file: contains no token, or more than one. Write one line with the token only.")
    })
  )

const parseArguments = (text: string): Call["arguments"] | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const readCall = Effect.fnUntraced(function*({ arguments: given, call }: DoctorOptions) {
  if (Option.isNone(call)) return Option.isNone(given) ? undefined : yield* cannot("--arguments goes with --call.")
  const parsed = parseArguments(Option.getOrElse(given, () => "{}"))
  return parsed === undefined
    ? yield* cannot("--arguments: is not a JSON object. Write it as {\"name\": \"value\"}.")
    : { tool: call.value, arguments: parsed }
})

const readUrl = (text: string) => {
  const whole = text.includes("://") ? text : `https://${text}`
  const url = URL.canParse(whole) ? new URL(whole) : undefined
  return url !== undefined && (url.protocol === "https:" || url.protocol === "http:")
    ? Effect.succeed(url)
    : cannot("URL: is not an http or https URL. Write that of the MCP endpoint: https://mcp.example.com/mcp")
}

/** The address of a server of the configuration, as clients use it. */
const publicAddress = (settings: GatewaySettings): URL => {
  const { host, port, publicUrl } = settings
  const local = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host
  return new URL(resourceUrl(publicUrl ?? `http://${local}:${port}`, settings.path))
}

const layoutOf = Effect.map(TerminalCapabilities, ({ canColor }): Layout => ({
  style: canColor ? coloured : plain,
  width: Math.min(process.stdout.columns ?? 100, 120)
}))

const write = (text: string) => Effect.sync(() => void process.stderr.write(text))

/** Writes the current step to the terminal; nothing if the output is not a terminal. */
const progressOf = (layout: Layout) => {
  return {
    begins: ({ title }: { readonly title: string }) => write(`\r\u001b[2K  … ${title}`),
    ended: (step: StepResult) => write(`\r\u001b[2K${stepLine(step, layout).split("\n")[0]}\n`)
  }
}

/** Removes the progress from the terminal, before the report repeats it. */
const clear = (lines: number) => write(`\u001b[${lines}A\u001b[0J`)

const withProgress = Effect.fnUntraced(function*(options: ExamineOptions, isWatched: boolean) {
  if (!isWatched) return yield* examine(options)
  const layout = yield* layoutOf
  const report = yield* Effect.provideService(examine(options), CurrentProgress, progressOf(layout))
  yield* clear(report.steps.length)
  return report
})

const exitWith = (reports: ReadonlyArray<Report>) => {
  if (reports.some(({ verdict }) => verdict === "broken")) return Effect.fail(new Unhealthy({ code: 1 }))
  return reports.some(({ verdict }) => verdict === "unknown") ? Effect.fail(new Unhealthy({ code: 2 })) : Effect.void
}

/** The options for every examination, from the command line. */
const readOptions = Effect.fnUntraced(function*(options: DoctorOptions) {
  const token = Option.isNone(options.tokenFile) ? undefined : yield* readToken(options.tokenFile.value)
  const call = yield* readCall(options)
  if (call !== undefined && token === undefined && Option.isNone(options.url)) {
    return yield* cannot("--call needs --token-file.")
  }
  return { token, call, register: options.register, listenMillis: options.listen * 1_000 }
})

/** A server to examine, and what to check before the steps of a client. */
interface Target {
  readonly url: URL
  readonly server?: string
  readonly before: Effect.Effect<ReadonlyArray<StepResult>>
}

/**
 * Builds the target for a server of the configuration. Settings of the whole service are reported with the first one.
 */
const ownTarget = (settings: GatewaySettings) => (server: GatewaySettings, index: number): Target => ({
  url: publicAddress(server),
  server: server.serverName,
  before: Effect.map(
    checkEverything(server, [server]),
    (found) => [configurationStep(found, index === 0 ? [...warnings(settings), ...hostWarnings(settings)] : [])]
  )
})

/** The servers to examine, and the client for them. Without a URL, these are the servers of the configuration. */
const targets = Effect.fnUntraced(function*(options: DoctorOptions) {
  if (Option.isSome(options.url)) {
    const servers: ReadonlyArray<Target> = [{ url: yield* readUrl(options.url.value), before: Effect.succeed([]) }]
    return { servers, client: ProviderClient.layerEnvironment }
  }
  const { settings } = yield* loadSettings({ config: options.config, workers: Option.none() })
  return {
    servers: serversOf(settings).map(ownTarget(settings)),
    // The gateway's own proxies and certificate authorities apply here as well.
    client: Layer.provide(ProviderClient.layer, Layer.succeed(GatewayConfig, settings))
  }
})

/**
 * `mcp-authorizer doctor [URL]`: examines an MCP server with the steps of a client, and prints the problems and their
 * fixes.
 *
 * Without a URL, it examines the servers of the configuration, at their public URLs. Exit code 0: no errors. 1: clients
 * cannot connect, or the server is not safe. 2: it could not be examined.
 */
export const doctor = Effect.fnUntraced(function*(options: DoctorOptions) {
  const common = yield* readOptions(options)
  const { client, servers } = yield* targets(options)
  const { canAnimate } = yield* TerminalCapabilities
  const isWatched = canAnimate && !options.json
  const reports = yield* Effect.forEach(
    servers,
    Effect.fnUntraced(function*({ before, ...server }) {
      if (isWatched) yield* write("  … Configuration")
      const steps = yield* before
      if (isWatched) yield* write("\r\u001b[2K")
      return withStepsBefore(steps, yield* withProgress({ ...common, ...server }, isWatched))
    })
  ).pipe(
    Effect.provide(Layer.mergeAll(client, Logger.layer([]))),
    Effect.provideService(TlsInspector, inspectTls),
    Effect.catchTag("InvalidConfiguration", ({ message }) => cannot(message))
  )
  if (options.json) {
    yield* Console.log(JSON.stringify(Option.isSome(options.url) ? reports[0] : reports, null, 2))
  } else {
    const layout = yield* layoutOf
    for (const report of reports) yield* Console.log(render(report, layout))
  }
  return yield* exitWith(reports)
})
