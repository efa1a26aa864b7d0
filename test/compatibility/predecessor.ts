/** The gateway in place of a predecessor, configured with the variables of that one's README. */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import type { InvalidConfiguration } from "../../src/config/InvalidConfiguration.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { TestIssuerOptions } from "../../src/issuer/TestIssuerOptions.ts"
import { initializeOf } from "../fixtures/messages.ts"
import { type FixtureRequest, GatewayFixture, type GatewayUnderTest } from "../support/GatewayFixture.ts"
import type { RawExchange } from "../support/rawHttp.ts"

export type Variables = Readonly<Record<string, string | undefined>>

export type Replacement = GatewayFixture["Service"]

export type Reply = RawExchange["responses"][number]

/** The settings that variables amount to. */
export const settingsOf = (variables: Variables): Effect.Effect<GatewaySettings, InvalidConfiguration> =>
  Effect.provide(GatewayConfig, GatewayConfig.layerVariables(variables))

/** Returns the error message for variables that do not configure a gateway. */
export const problemOf = (variables: Variables): Effect.Effect<string> =>
  Effect.map(Effect.orDie(Effect.flip(settingsOf(variables))), ({ message }) => message)

/**
 * Starts a gateway on a port of the system's choice.
 *
 * @param variables the document's, given the URL of the internal MCP gateway behind
 * @param token a valid one
 */
export const startReplacement = (
  variables: (mcpGateway: string) => Variables,
  token: string,
  verifier?: GatewayUnderTest["verifier"]
) =>
  GatewayFixture.over(({ origin }) =>
    Effect.map(
      settingsOf({ ...variables(`${origin}/mcp-internal`), PORT: "0" }),
      (settings) => ({ settings, token, ...(verifier === undefined ? {} : { verifier }) })
    )
  )

/** A predecessor as its README sets it up: a loopback issuer plays AuthKit, and the gateway the predecessor. */
export class SetUp extends Context.Service<SetUp, {
  readonly authKit: TestIssuer["Service"]
  readonly system: Replacement
}>()("mcp-authorizer/test/compatibility/predecessor/SetUp") {
  /** Keep it in a `const`: each call is another system. */
  static readonly layer = (
    issuer: TestIssuerOptions,
    variables: (authKit: TestIssuer["Service"], mcpGateway: string) => Variables
  ) =>
    Layer.effect(
      SetUp,
      Effect.gen(function*() {
        const authKit = yield* TestIssuer.make(issuer)
        const system = yield* startReplacement((mcpGateway) => variables(authKit, mcpGateway), yield* authKit.sign())
        return { authKit, system }
      })
    )
}

/** The output of `curl` for `http://localhost:3000/…`, where every document has its server. No token unless given. */
export const curl = Effect.fnUntraced(function*(
  { send }: Replacement,
  request: FixtureRequest = {}
): Effect.fn.Return<Reply> {
  const { responses: [response], outcome } = yield* send({
    method: "GET",
    host: "localhost:3000",
    authorization: null,
    ...request
  })
  assert.strictEqual(outcome, "Responded")
  return response ?? assert.fail("no response")
})

/** The request that four of the five documents show, letter for letter. */
export const toolsList = `{"jsonrpc":"2.0","method":"tools/list","id":1}`

/** The `initialize` request of a client that speaks `2025-03-26`. */
export const initialize = initializeOf("2025-03-26")

export const bearer = (token: string): string => `Bearer ${token}`

/** The body of a document that was found. */
export const documentOf = (response: Reply): unknown => {
  assert.strictEqual(response.status, 200, response.text)
  assert.deepStrictEqual(response.headers("content-type"), ["application/json"])
  return JSON.parse(response.text)
}

/** The one challenge of a response. */
export const challengeOf = (response: Reply): string => {
  const [challenge, second] = response.headers("www-authenticate")
  assert.isUndefined(second)
  return challenge ?? assert.fail("no challenge")
}
