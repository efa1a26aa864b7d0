import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { request } from "node:http"
import { listenAddress } from "../../config/listenAddress.ts"
import { configFile } from "../../config/sources/variables.ts"
import { errorCode } from "../errorCode.ts"
import { StartupFailed } from "../StartupFailed.ts"
import { readDocument } from "./loadSettings.ts"

export interface HealthcheckOptions {
  readonly config: Option.Option<string>
  readonly ready: boolean
}

const timeoutMillis = 5_000

/** If the gateway listens on all addresses, it is requested on loopback. */
const reachable: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" }

/** Returns the status of the response, or the code of the failure. */
const ask = (host: string, port: number, path: string): Effect.Effect<number | string> =>
  Effect.callback<number | string>((resume) => {
    const asked = request({ host: reachable[host] ?? host, port, path, agent: false, timeout: timeoutMillis })
    asked.once("response", (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode ?? 0))
    })
    asked.once("timeout", () => asked.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })))
    asked.once("error", (error) => resume(Effect.succeed(errorCode(error))))
    asked.end()
    return Effect.sync(() => asked.destroy())
  })

const unhealthy = (text: string) => Effect.andThen(Console.error(text), Effect.fail(new StartupFailed()))

/**
 * `mcp-authorizer healthcheck`: checks whether the gateway with the same settings on this machine is healthy.
 *
 * For containers, whose image has no other program for health checks. Prints the reason and fails unless the status is
 * 200.
 */
export const healthcheck = Effect.fnUntraced(
  function*({ config, ready }: HealthcheckOptions): Effect.fn.Return<void, StartupFailed> {
    const file = Option.getOrElse(config, () => configFile(process.env))
    // The running gateway continues without a config file that cannot be read now, so this check does, too.
    const document = file === undefined ? undefined : yield* Effect.orElseSucceed(readDocument(file), () => undefined)
    const address = listenAddress(process.env, document)
    if (address === undefined) return yield* unhealthy("HOST or PORT is malformed; --check tells more")
    const path = ready ? "/readyz" : "/healthz"
    const found = yield* ask(address.host, address.port, path)
    if (found === 200) return
    return yield* unhealthy(`${path} on port ${address.port}: ${typeof found === "number" ? `status ${found}` : found}`)
  }
)
