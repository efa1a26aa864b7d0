import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../../src/config/GatewayConfigInput.ts"
import { InvalidConfiguration } from "../../src/config/InvalidConfiguration.ts"
import { resolve } from "../../src/config/resolve.ts"
import { fromInput } from "../../src/config/sources/document.ts"
import { complete, settingsOf, settingsOfInput } from "./resolving.ts"

describe("GatewayConfig", () => {
  it.effect("layer takes a value", () =>
    Effect.gen(function*() {
      const settings = yield* GatewayConfig
      assert.deepStrictEqual(settings, settingsOf({ ...complete, PORT: "0" }))
    }).pipe(
      Effect.provide(GatewayConfig.layer({
        jwt_issuer: complete.MCP_JWT_ISSUER,
        jwt_audience: [complete.MCP_JWT_AUDIENCE],
        port: 0
      }))
    ))

  it.effect("layerVariables takes variables, and a file behind them", () =>
    Effect.gen(function*() {
      const settings = yield* GatewayConfig
      assert.deepStrictEqual(settings, settingsOf({ ...complete, PORT: "0" }))
    }).pipe(
      Effect.provide(GatewayConfig.layerVariables({ ...complete, PATH: "/bin" }, { port: 0, jwt_issuer: "x" }))
    ))

  it.effect("layerConfig takes a value whose parts are read under names of the user's own", () =>
    Effect.gen(function*() {
      const settings = yield* GatewayConfig
      assert.deepStrictEqual(settings, settingsOf({ ...complete, PORT: "0" }))
    }).pipe(
      Effect.provide(
        GatewayConfig.layerConfig({
          jwt_issuer: Config.String("ISSUER"),
          jwt_audience: Config.String("AUDIENCE"),
          port: Config.succeed(0)
        }).pipe(
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({
            ISSUER: complete.MCP_JWT_ISSUER,
            AUDIENCE: complete.MCP_JWT_AUDIENCE
          })))
        )
      )
    ))

  it.effect("layerFromConfig takes the gateway's own names, aliases too, from any provider", () =>
    Effect.gen(function*() {
      const settings = yield* GatewayConfig
      assert.deepStrictEqual(settings, settingsOf({ ...complete, PORT: "0" }))
    }).pipe(
      Effect.provide(
        GatewayConfig.layerFromConfig.pipe(
          Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({
            AUTH_PROVIDER_ISSUER: complete.MCP_JWT_ISSUER,
            MCP_JWT_AUDIENCE: complete.MCP_JWT_AUDIENCE,
            PORT: "0",
            PATH: "/bin"
          })))
        )
      )
    ))

  it("times may be a Duration, within the bounds of their setting", () => {
    const { clockSkewSeconds, storeTimeoutMillis, upstreamTimeoutMillis } = settingsOfInput({
      jwt_issuer: complete.MCP_JWT_ISSUER,
      jwt_audience: complete.MCP_JWT_AUDIENCE,
      clock_skew: Duration.seconds(30),
      store_timeout_millis: Duration.millis(50),
      upstream_timeout: Duration.minutes(2)
    })
    assert.deepStrictEqual([clockSkewSeconds, storeTimeoutMillis, upstreamTimeoutMillis], [30, 50, 120_000])
    for (const upstream_timeout of [Duration.millis(1_500), Duration.zero, Duration.infinity, Duration.seconds(-1)]) {
      const resolved = resolve([fromInput({ jwt_issuer: complete.MCP_JWT_ISSUER, upstream_timeout })])
      assert.deepStrictEqual(
        Result.isFailure(resolved) ? resolved.failure.problems.map(({ problem, setting }) => [setting, problem]) : [],
        [["MCP_UPSTREAM_TIMEOUT", "is not a whole number from 1 to 86400"]]
      )
    }
  })

  it.effect("CFG-01 every layer reports all problems", () =>
    Effect.gen(function*() {
      const broken: GatewayConfigInput = { port: 70_000, path: "x" }
      for (
        const layer of [
          GatewayConfig.layer(broken),
          GatewayConfig.layerVariables({ PORT: "70000", MCP_PATH: "x" }),
          GatewayConfig.layerVariables({}, broken),
          GatewayConfig.layerConfig(Config.succeed(broken)),
          Layer.provide(
            GatewayConfig.layerFromConfig,
            ConfigProvider.layer(ConfigProvider.fromUnknown({ PORT: "70000", MCP_PATH: "x" }))
          )
        ]
      ) {
        const error = yield* Effect.flip(Effect.provide(GatewayConfig, layer))
        assert.instanceOf(error, InvalidConfiguration)
        assert.sameMembers(error.problems.map(({ setting }) => setting), ["MCP_PROVIDERS", "MCP_PATH", "PORT"])
      }
    }))

  it("CFG-01 the type of a value knows every member and no other", () => {
    const inputs: ReadonlyArray<GatewayConfigInput> = [
      { error_style: "jsonrpc", jwt_algorithm: ["ES256"], log_format: "pretty", required_scopes: "a b" },
      { providers: [{ type: "static", tokens: [{ token: "t", client_id: "c", subject: "s" }] }] },
      // @ts-expect-error an unknown member
      { gatewayUrl: "http://x" },
      // @ts-expect-error a member for variables only
      { config_file: "x" },
      // @ts-expect-error an unknown algorithm
      { jwt_algorithm: ["HS256"] },
      // @ts-expect-error an unknown word
      { error_style: "html" },
      // @ts-expect-error a number as text
      { port: "3000" },
      // @ts-expect-error an unknown field
      { providers: [{ audiences: "x" }] }
    ]
    assert.strictEqual(inputs.length, 8)
  })
})
