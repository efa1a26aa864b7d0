import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import { layerVerifier } from "../../src/embed/layers.ts"

const told = Effect.fnUntraced(function*(caFile: string | undefined) {
  const lines: Array<string> = []
  const logger = Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
  const config = GatewayConfig.layer({ static_tokens: `${"x".repeat(32)}:c:s:`, ca_file: caFile })
  yield* Effect.scoped(Layer.build(layerVerifier.pipe(Layer.provide(config), Layer.provide(logger))))
  return lines.filter((line) => line.includes("MCP_CA_FILE has no effect here"))
})

describe("hosts that send requests with fetch", () => {
  it.effect("report that they cannot use a file of certificate authorities", () =>
    Effect.gen(function*() {
      assert.lengthOf(yield* told("/etc/ssl/corp.pem"), 1)
      assert.lengthOf(yield* told(undefined), 0)
    }))
})
