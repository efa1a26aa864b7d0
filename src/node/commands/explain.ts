import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Runtime from "effect/Runtime"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import { type GatewaySettings, serversOf } from "../../config/GatewaySettings.ts"
import { resolveService } from "../../config/resolve.ts"
import { showName } from "../../errors/nearestName.ts"
import { explain as explainToken } from "../../explain/explain.ts"
import type { ExplainOptions, Explanation } from "../../explain/Explanation.ts"
import { render } from "../../explain/render.ts"
import type { Json } from "../../identity/Json.ts"
import { layerDocuments } from "../../verify/layers.ts"
import { ProviderRegistry } from "../../verify/ProviderRegistry.ts"
import * as ProviderClient from "../outbound/ProviderClient.ts"
import { loadSettings } from "./loadSettings.ts"
import { readToken } from "./readToken.ts"

/** The token is rejected. The explanation has been printed. Exit code 1. */
class TokenRejected extends Data.TaggedError("TokenRejected")<{}> {
  override readonly [Runtime.errorReported] = false
  override readonly [Runtime.errorExitCode] = 1
}

/** It is unknown whether the token would be accepted. The reason has been printed. Exit code 2. */
export class CannotTell extends Data.TaggedError("CannotTell")<{}> {
  override readonly [Runtime.errorReported] = false
  override readonly [Runtime.errorExitCode] = 2
}

const fail = (text: string): Effect.Effect<never, CannotTell> =>
  Effect.andThen(Console.error(text), Effect.fail(new CannotTell()))

export interface ExplainFlags {
  readonly config: Option.Option<string>
  readonly tokenFile: Option.Option<string>
  readonly server: Option.Option<string>
  readonly issuer: Option.Option<string>
  readonly audience: Option.Option<string>
  readonly method: Option.Option<string>
  readonly tool: Option.Option<string>
  readonly arguments: Option.Option<string>
  readonly json: boolean
}

/** Settings that apply even if only an issuer is given. */
const keptVariables = ["MCP_CA_FILE", "MCP_ALLOW_HTTP", "MCP_CLOCK_SKEW", "MCP_JWT_ALGORITHM"] as const

/** Settings of a gateway that trusts only one issuer. */
const settingsForIssuer = (issuer: string, audience: string | undefined) => {
  // `ConfigProvider` is not used for settings, because misspelled names can only be found among all names.
  const environment: Readonly<Record<string, string | undefined>> = process.env
  const kept = Object.fromEntries(keptVariables.flatMap((name) => {
    const value = environment[name]
    return value === undefined ? [] : [[name, value]]
  }))
  return resolveService({
    variables: {
      ...kept,
      // Required by the configuration, but not used here.
      MCP_SERVER_URL: "http://127.0.0.1/mcp",
      MCP_JWT_ISSUER: issuer,
      ...(audience === undefined ? {} : { MCP_JWT_AUDIENCE: audience })
    }
  })
}

const settingsOf = (flags: ExplainFlags): Effect.Effect<GatewaySettings, CannotTell> => {
  const { audience, config, issuer } = flags
  if (Option.isSome(issuer)) {
    const settings = settingsForIssuer(issuer.value, Option.getOrUndefined(audience))
    return Result.isSuccess(settings) ? Effect.succeed(settings.success) : fail(settings.failure.message)
  }
  if (Option.isSome(audience)) return fail("--audience goes with --issuer.")
  return loadSettings({ config, workers: Option.none() }).pipe(
    Effect.map(({ settings }) => settings),
    // `loadSettings` has printed the problems.
    Effect.mapError(() => new CannotTell())
  )
}

/** Returns the settings of the MCP server that the token is for. */
const serverOf = (
  settings: GatewaySettings,
  name: Option.Option<string>
): Effect.Effect<GatewaySettings, CannotTell> => {
  const servers = serversOf(settings)
  const names = servers.map(({ serverName }) => serverName).filter((one) => one !== "")
  const known = names.length === 0 ? "the settings have only one server, without a name" : `choose ${names.join(", ")}`
  const [only, second] = servers
  if (Option.isNone(name)) {
    return only !== undefined && second === undefined
      ? Effect.succeed(only)
      : fail(`The settings have several MCP servers. Name the one that the token is for with --server: ${known}.`)
  }
  const found = servers.find(({ serverName }) => serverName === name.value)
  return found === undefined
    ? fail(`--server: there is no server ${showName(name.value)}; ${known}.`)
    : Effect.succeed(found)
}

const optionsOf = (flags: ExplainFlags): Effect.Effect<ExplainOptions, CannotTell> => {
  const { arguments: given, method, tool } = flags
  const options = { method: Option.getOrUndefined(method), tool: Option.getOrUndefined(tool) }
  if (Option.isNone(given)) return Effect.succeed(options)
  // `JSON.parse` returns nothing but JSON.
  const parsed = Result.try(() => JSON.parse(given.value) as Json)
  return Result.isSuccess(parsed)
    ? Effect.succeed({ ...options, arguments: parsed.success })
    : fail("--arguments: is not JSON. Write it as in '{\"amount\": 5}'.")
}

/** The providers of the settings, as the gateway uses them for verification, but without its log. */
const layerProviders = (settings: GatewaySettings) =>
  ProviderRegistry.layer.pipe(
    Layer.provide(layerDocuments),
    Layer.provide([NodeCrypto.layerDigest, ProviderClient.layer, KeyValueStore.layerMemory]),
    Layer.provide(Layer.succeed(GatewayConfig, settings)),
    Layer.provideMerge(Logger.layer([]))
  )

const explainWith = (settings: GatewaySettings, token: Redacted.Redacted<string>, options: ExplainOptions) =>
  Effect.gen(function*() {
    return yield* explainToken({ settings, registry: yield* ProviderRegistry }, token, options)
  }).pipe(
    Effect.provide(layerProviders(settings)),
    Effect.catchTags({
      InvalidConfiguration: ({ message }) => fail(message),
      UnusablePublicKey: ({ provider }) => fail(`The public key of provider ${showName(provider)} is unusable.`)
    })
  )

const print = (explanation: Explanation, asJson: boolean): Effect.Effect<void> => {
  const { stdout } = process
  return Console.log(
    asJson
      ? JSON.stringify(explanation, null, 2)
      : render(explanation, {
        colour: stdout.isTTY && stdout.hasColors(),
        width: stdout.isTTY ? Math.max(60, Math.min(stdout.columns, 120)) : undefined
      })
  )
}

/**
 * `mcp-authorizer explain`: prints whether a token would be accepted, and why, by the settings of the gateway or by an
 * issuer alone.
 *
 * Fails with exit code 1 if the token is rejected, and with 2 if that is unknown, because the settings are wrong, the
 * token cannot be read, or the provider cannot be reached.
 */
export const explain = Effect.fnUntraced(function*(
  flags: ExplainFlags
): Effect.fn.Return<void, TokenRejected | CannotTell> {
  const options = yield* optionsOf(flags)
  const settings = yield* Effect.flatMap(settingsOf(flags), (settings) => serverOf(settings, flags.server))
  const path = Option.getOrUndefined(flags.tokenFile)
  const token = yield* Effect.catchTag(
    readToken(path),
    "TokenNotRead",
    ({ problem }) => fail(`${path === undefined ? "Standard input" : "--token-file"}: ${problem}.`)
  )
  const explanation = yield* explainWith(settings, token, options)
  yield* print(explanation, flags.json)
  const { decision } = explanation.outcome
  if (decision === "rejected") return yield* new TokenRejected()
  if (decision === "unknown") return yield* new CannotTell()
})
