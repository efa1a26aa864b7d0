import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { clientsSuite, RealHost } from "../support/clients.suite.ts"
import { ComponentHost } from "../support/ComponentHost.ts"

const start = Effect.fnUntraced(function*(variables: Readonly<Record<string, string>>) {
  const host = yield* ComponentHost.make
  yield* host.configure(variables)
  return { origin: host.origin, logged: host.logged }
})

clientsSuite("Spin", Layer.succeed(RealHost, { start }))
