import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { settings } from "../fixtures/settings.ts"
import { startGateway } from "../support/gateway.ts"
import { openConnection } from "./support/connection.ts"
import { closedPort } from "./support/ports.ts"

describe("listening", () => {
  it.live("OPS-09 MUST NOT begin before requests can be served", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const verifier = Layer.unwrap(
        Deferred.succeed(reached, undefined).pipe(
          Effect.andThen(Deferred.await(go)),
          Effect.as(TokenVerifier.layer)
        )
      )
      const port = yield* closedPort
      const starting = yield* Effect.forkScoped(startGateway(settings("http://127.0.0.1:9", { port }), { verifier }))
      yield* Deferred.await(reached)
      const early = yield* Effect.flip(openConnection(`http://127.0.0.1:${port}`))
      assert.strictEqual(early, "Refused")
      yield* Deferred.succeed(go, undefined)
      const { origin } = yield* Fiber.join(starting)
      // Positive control: it is the port that it listens on.
      assert.strictEqual(origin, `http://127.0.0.1:${port}`)
      yield* openConnection(origin)
    }))
})
