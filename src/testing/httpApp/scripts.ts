/** Parts of cases in which the MCP server follows a script. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { UpstreamResponse } from "../../forward/GatewayClient.ts"
import * as assert from "../assert.ts"
import { anyCaller, type Caller, good } from "./caller.ts"
import type { Respond, UpstreamBehaviour } from "./upstream.ts"

export const encoder = new TextEncoder()

export const json = { "content-type": "application/json" }

/** A complete response with this text. */
export const text = (body: string, headers: Readonly<Record<string, string>> = json): UpstreamResponse => ({
  status: 200,
  headers,
  body: { _tag: "Bytes", bytes: encoder.encode(body) }
})

/** Responds as the function does. */
export const scripted = (respond: Respond): UpstreamBehaviour => ({ _tag: "Scripted", respond })

export const callers = Arbitrary.all([anyCaller, anyCaller, anyCaller])

/** A case with three callers whose tokens are accepted. */
export const three = ([caller, ...others]: readonly [Caller, Caller, Caller]) => ({ caller, others, verdict: good })

/** Waits a few seconds of real time for an event that needs no time of the case, which stands still. */
export const soon = <A>(effect: Effect.Effect<A>, otherwise: string): Effect.Effect<A> =>
  Effect.raceFirst(
    effect,
    Effect.map(
      Effect.promise(async (signal) => {
        const end = performance.now() + 5_000
        while (!signal.aborted && performance.now() < end) await new Promise<void>((turn) => setImmediate(turn))
      }),
      () => assert.fail(otherwise)
    )
  )
