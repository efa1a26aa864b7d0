/** The README of the room shows what the command prints, and names every step. */
import { assert, describe, it } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as TestClock from "effect/testing/TestClock"
import { readFileSync } from "node:fs"
import { stepNames } from "../../src/explain/Explanation.ts"
import { render } from "../../src/explain/render.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { JwksCache } from "../../src/keys/JwksCache.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { start } from "../verify/support.ts"
import { httpDate, makeGateway } from "./support.ts"

const readme = readFileSync(new URL("../../src/explain/README.md", import.meta.url), "utf8")

const audience = "https://mcp.example.com/mcp"

const providers = (client: HttpClient.HttpClient) =>
  JwksCache.layer.pipe(
    Layer.provideMerge(ProviderMetadata.layer),
    Layer.provideMerge(ProviderHttp.layer),
    Layer.provide([KeyValueStore.layerMemory, Layer.succeed(HttpClient.HttpClient, client)]),
    Layer.provideMerge(Digest.layerWebCrypto)
  )

describe("The README of explain", () => {
  it.effect("shows what is printed about a token with two mistakes", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const origin = "https://login.example.com"
      const { client, issuer } = yield* TestIssuer.makeMemory({ origin, audience, algorithms: ["ES256"] })
      const headers = { date: httpDate(start) }
      yield* issuer.misbehave("/oauth2/jwks", Misbehaviour.Respond({ headers }), Number.POSITIVE_INFINITY)
      const explanation = yield* Effect.gen(function*() {
        const { explained } = yield* makeGateway({
          providers: [{ type: "oidc", name: "main", issuer: origin, audience, algorithms: "ES256" }],
          required_scopes: "mcp:read"
        })
        return yield* explained(
          yield* issuer.sign({ claims: { aud: "account", client_id: "claude", scope: "profile" } })
        )
      }).pipe(Effect.provide(providers(client)))
      const [, shown] = /```console\n(.*?)\n```/su.exec(readme) ?? []
      assert.strictEqual(shown, render(explanation, { colour: false }))
    }))

  it("names every step", () => {
    for (const name of stepNames) assert.include(readme, `\`${name}\``)
  })
})
