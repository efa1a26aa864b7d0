/** In place of `test/support/gateway.ts`: the component in a WASI host, where the tests expect the service on Node. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { describe } from "../../../src/config/describe.ts"
import type { GatewaySettings } from "../../../src/config/GatewaySettings.ts"
import { readSettings } from "../../../src/spin/settings.ts"
import type { RunningGateway } from "../../support/gateway.ts"
import { ComponentHost } from "../support/ComponentHost.ts"
import { reportLog } from "./reportLog.ts"
import { asOnSpin, variablesOf } from "./variablesOf.ts"

/** Starts the component; what it logs, at every level, goes to `logger`, too. */
export const startGateway = (
  settings: GatewaySettings,
  options: { readonly verifier?: unknown; readonly logger?: Layer.Layer<never> } = {}
): Effect.Effect<RunningGateway, never, Scope.Scope> =>
  Effect.gen(function*() {
    assert.isUndefined(options.verifier, "a component cannot be given a verifier")
    const wanted = asOnSpin({ ...settings, logLevel: "trace" })
    const variables = variablesOf(wanted)
    const understood = yield* Effect.fromResult(readSettings({ variables: () => Object.entries(variables) }))
    assert.deepStrictEqual(describe(understood), describe(wanted), "variables cannot say it")
    const host = yield* ComponentHost.make
    yield* host.configure(variables)
    if (options.logger !== undefined) yield* reportLog(host, options.logger)
    return { origin: host.origin, port: Number(new URL(host.origin).port) }
  }).pipe(Effect.orDie)
