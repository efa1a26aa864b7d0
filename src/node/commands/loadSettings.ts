import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { readFile } from "node:fs/promises"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { type Complaint, InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { resolveService, type Sources } from "../../config/resolve.ts"
import { parseJson } from "../../config/sources/jsonText.ts"
import { configFile } from "../../config/sources/variables.ts"
import { typeOf } from "../../providers/types.ts"
import { checkAuditFile } from "../audit/layerAudit.ts"
import { errorCode } from "../errorCode.ts"
import { readOutbound } from "../outbound/ProviderClient.ts"
import { StartupFailed } from "../StartupFailed.ts"
import { readSettingFiles } from "./readSettingFiles.ts"

const unusableFile = (problems: ReadonlyArray<Complaint>) =>
  new InvalidConfiguration({
    problems: problems.map((problem) => ({ setting: "MCP_CONFIG_FILE", source: undefined, ...problem }))
  })

const readDocument = Effect.fnUntraced(function*(path: string) {
  const text = yield* Effect.tryPromise({
    // Removes a byte order mark.
    try: async () => new TextDecoder().decode(await readFile(path)),
    catch: (error) =>
      unusableFile([{
        problem: `cannot be read (${errorCode(error)})`,
        cure: "Name a readable file that contains one JSON object"
      }])
  })
  return yield* Effect.fromResult(Result.mapError(parseJson(text), unusableFile))
})

const weaknesses: Readonly<Record<string, string>> = {
  WeakModulus: "an RSA key of fewer than 2048 bits",
  HugeModulus: "an RSA key of more than 8192 bits",
  WeakExponent: "an RSA key with an unsafe exponent"
}

/** A malformed or weak PEM key is found only when it is imported. */
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
            cure: "Give one PEM public key (SPKI) that fits MCP_JWT_ALGORITHM"
          }]
        })
      )
    )

/** The settings of the command line. */
export interface CommandLine {
  readonly config: Option.Option<string>
  readonly workers: Option.Option<string>
}

/**
 * Loads the settings of this process, with their sources: the command line, the environment, the config file.
 *
 * The file is that of `--config`, otherwise `MCP_CONFIG_FILE`. The command line takes precedence over the environment,
 * and the environment over the file. Prints every problem with its fix, and fails with `StartupFailed`.
 */
export const loadSettings = (
  { config, workers }: CommandLine
): Effect.Effect<
  { readonly settings: GatewaySettings; readonly sources: Sources },
  StartupFailed
> =>
  Effect.gen(function*() {
    // Not through ConfigProvider: misspelled names can only be found among all names.
    const variables = process.env
    const path = Option.getOrElse(config, () => configFile(variables))
    const flags = Option.match(workers, { onNone: () => ({}), onSome: (MCP_WORKERS) => ({ MCP_WORKERS }) })
    const document = path === undefined ? undefined : yield* readDocument(path)
    const sources = yield* readSettingFiles({ variables, document, flags })
    const settings = yield* Effect.fromResult(resolveService(sources))
    yield* importPublicKeys(settings)
    yield* readOutbound(settings)
    yield* checkAuditFile(settings)
    return { settings, sources }
  }).pipe(
    Effect.catchTag("InvalidConfiguration", (error) =>
      Effect.andThen(Console.error(error.message), Effect.fail(new StartupFailed())))
  )
