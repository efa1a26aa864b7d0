import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { readFile } from "node:fs/promises"
import { type GatewaySettings, serversOf } from "../../config/GatewaySettings.ts"
import { InvalidConfiguration, type Mistake } from "../../config/InvalidConfiguration.ts"
import { resolveService, type Sources } from "../../config/resolve.ts"
import { parseJson } from "../../config/sources/jsonText.ts"
import { configFile } from "../../config/sources/variables.ts"
import { typeOf } from "../../providers/types.ts"
import { signingKeysOf } from "../../upstream/makeUpstream.ts"
import { checkAuditFile } from "../audit/layerAudit.ts"
import { errorCode } from "../errorCode.ts"
import { readOutbound } from "../outbound/ProviderClient.ts"
import { readUpstreamTls, upstreamTlsFiles } from "../outbound/upstreamTls.ts"
import { StartupFailed } from "../StartupFailed.ts"
import { loadTelemetry } from "../telemetry/layerTelemetry.ts"
import { readSettingFiles } from "./readSettingFiles.ts"

const unusableFile = (problems: ReadonlyArray<Mistake>) =>
  new InvalidConfiguration({
    problems: problems.map((problem) => ({ setting: "MCP_CONFIG_FILE", source: undefined, ...problem }))
  })

/** Reads the config file. Fails with `InvalidConfiguration` if it is not a readable file of JSON. */
export const readDocument = Effect.fnUntraced(function*(path: string) {
  const text = yield* Effect.tryPromise({
    // `TextDecoder` removes a byte order mark.
    try: async () => new TextDecoder().decode(await readFile(path)),
    catch: (error) =>
      unusableFile([{
        problem: `cannot be read (${errorCode(error)})`,
        fix: "Name a readable file that contains one JSON object"
      }])
  })
  return yield* Effect.fromResult(Result.mapError(parseJson(text), unusableFile))
})

const weaknesses: Readonly<Record<string, string>> = {
  WeakModulus: "an RSA key of fewer than 2048 bits",
  HugeModulus: "an RSA key of more than 8192 bits",
  WeakExponent: "an RSA key with an unsafe exponent"
}

/** Imports PEM keys, because only an import shows whether they are malformed or weak. */
const importPublicKeys = (settings: GatewaySettings) =>
  Effect.forEach(settings.providers, (provider) => typeOf(settings, provider).checkKeys?.(provider) ?? Effect.void, {
    discard: true
  })
    .pipe(
      Effect.mapError(({ provider, reason }) =>
        new InvalidConfiguration({
          problems: [{
            setting: "MCP_JWT_PUBLIC_KEY",
            source: undefined,
            problem: `the key of provider ${JSON.stringify(provider)} is ${weaknesses[reason] ?? reason}`,
            fix: "Give one PEM public key (SPKI) that fits MCP_JWT_ALGORITHM"
          }]
        })
      )
    )

export interface CommandLine {
  readonly config: Option.Option<string>
  readonly workers: Option.Option<string>
}

/** The sources of the settings, and the files that they come from. */
export interface FoundSources {
  readonly sources: Sources
  readonly files: ReadonlyArray<string>
}

/**
 * Reads the sources of the settings: the command line, the environment, the config file, and the files that these name.
 *
 * The config file is that of `--config`, otherwise `MCP_CONFIG_FILE`. Fails with `InvalidConfiguration` if it cannot be read.
 */
export const readSources = Effect.fnUntraced(function*(
  { config, workers }: CommandLine
): Effect.fn.Return<FoundSources, InvalidConfiguration> {
  // `ConfigProvider` is not used, because misspelled names can only be found among all names.
  const variables = process.env
  const path = Option.getOrElse(config, () => configFile(variables))
  const flags = Option.match(workers, { onNone: () => ({}), onSome: (MCP_WORKERS) => ({ MCP_WORKERS }) })
  const document = path === undefined ? undefined : yield* readDocument(path)
  const sources = yield* readSettingFiles({ variables, document, flags })
  return { sources, files: [...path === undefined ? [] : [path], ...Object.keys(sources.files ?? {})] }
})

/** Valid settings, and their sources. */
export interface Loaded extends FoundSources {
  readonly settings: GatewaySettings
  /** Everything that the configuration depends on, so that equal strings mean that nothing has changed. */
  readonly inputs: string
}

/**
 * Resolves the settings, and checks everything that they refer to: keys, certificate authorities, proxies, the audit
 * file.
 *
 * The command line takes precedence over the environment, and the environment over the file. Fails with
 * `InvalidConfiguration`, which has all problems with their fixes.
 */
export const checkSources = Effect.fnUntraced(function*(
  { files, sources }: FoundSources
): Effect.fn.Return<Loaded, InvalidConfiguration> {
  const settings = yield* Effect.fromResult(resolveService(sources))
  yield* importPublicKeys(settings)
  yield* signingKeysOf(settings)
  const { authorities } = yield* readOutbound(settings)
  const tls = yield* Effect.forEach(serversOf(settings), readUpstreamTls)
  yield* checkAuditFile(settings)
  const { document, flags, files: contents, variables } = sources
  return {
    settings,
    sources,
    files: [
      ...files,
      ...settings.caFile === undefined ? [] : [settings.caFile],
      ...serversOf(settings).flatMap(upstreamTlsFiles)
    ],
    inputs: JSON.stringify([document, flags, contents, variables, authorities?.digest, tls.map((one) => one?.digest)])
  }
})

/** Loads the settings of this process. Prints every problem with its fix, and fails with `StartupFailed`. */
export const loadSettings = (options: CommandLine): Effect.Effect<Loaded, StartupFailed> =>
  Effect.flatMap(readSources(options), checkSources).pipe(
    // Telemetry depends on the environment alone, which a reload does not change.
    Effect.tap(() => loadTelemetry),
    Effect.catchTag(
      "InvalidConfiguration",
      (error) => Effect.andThen(Console.error(error.message), Effect.fail(new StartupFailed()))
    )
  )
