import { assert, layer } from "@effect/vitest"
import { auth as authV2 } from "@modelcontextprotocol/client"
import { auth as authV1 } from "@modelcontextprotocol/sdk/client/auth.js"
import type { OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { makeOidcProvider } from "../support/OidcProvider.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { clients } from "./clients.ts"
import { httpStatus } from "./httpStatus.ts"
import { protectResource } from "./protectResource.ts"

class Landscape extends Context.Service<Landscape, {
  readonly upstream: RecordingUpstream
  readonly resource: string
}>()("mcp-authorizer/test/clients/stepUp/Landscape") {
  static readonly layer = Layer.effect(
    Landscape,
    Effect.gen(function*() {
      const { issuer } = yield* makeOidcProvider()
      const upstream = yield* makeRecordingUpstream
      const resource = yield* protectResource(upstream.origin, issuer, {
        requiredScopes: ["mcp:read", "mcp:write"],
        scopesSupported: ["mcp:read"]
      })
      return { upstream, resource }
    })
  )
}

class WithoutRefresh extends HeadlessOAuthClient {
  override saveTokens({ refresh_token, ...tokens }: OAuthTokens): void {
    super.saveTokens(tokens)
  }
}

layer(Landscape.layer, { excludeTestServices: true })("step up", (it) => {
  for (const [name, connect] of clients) {
    it.effect(`${name}`, () =>
      Effect.gen(function*() {
        const { resource } = yield* Landscape
        for (const oauth of [new HeadlessOAuthClient(), new WithoutRefresh()]) {
          const refused = yield* Effect.flip(connect(resource, { oauth }))
          console.log(httpStatus(refused), refused.cause)
          console.log(oauth.authorizations.map((url) => url.searchParams.get("scope")), oauth.tokens()?.scope)
        }
      }))
  }
})
