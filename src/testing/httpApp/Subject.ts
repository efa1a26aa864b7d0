import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { UpstreamRequest } from "../../forward/GatewayClient.ts"
import { HttpApp, type HttpAppNeeds as AppNeeds } from "../../http/HttpApp.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { Caller } from "./caller.ts"
import { behave, type ClosedApp, startClosed } from "./ClosedApp.ts"
import { type Circumstances, identityOf, makeFixture } from "./fixture.ts"
import type { TestUpstream } from "./TestUpstream.ts"

/** The services that an app may require, all provided by the suite. */
export type HttpAppNeeds = AppNeeds | Digest.Digest

/** An app in the circumstances of a case. */
export interface Started {
  readonly app: HttpApp["Service"]
  readonly settings: GatewaySettings
  /** The requests that the MCP server has received, in order. */
  readonly forwarded: ReadonlyArray<UpstreamRequest>
  /** The tokens that the verifier was called with, in order; `undefined` if the verifier is the app's own. */
  readonly verified: ReadonlyArray<string> | undefined
  /** The token that a caller sends. */
  readonly tokenOf: (caller: Caller) => string
  /** The identity of a caller's token, if it is accepted. */
  readonly identityOf: (caller: Caller) => Identity
}

/** Builds the app, sharing nothing with other builds: with a shared memo map, every case would get the first app. */
const build = <E, R>(app: Layer.Layer<HttpApp, E, R>) =>
  Effect.gen(function*() {
    const context = yield* Layer.buildWithMemoMap(app, yield* Layer.makeMemoMap, yield* Scope.Scope)
    return Context.get(context, HttpApp)
  }).pipe(Effect.orDie)

/** The app under test, built again for each case. */
export class Subject extends Context.Service<Subject, {
  readonly start: (circumstances: Circumstances) => Effect.Effect<Started, never, Scope.Scope>
}>()("mcp-authorizer/testing/httpApp/Subject") {
  /** All settings of the suite are valid: an app that cannot be built with them dies. */
  static readonly layer = <E>(
    app: Layer.Layer<HttpApp, E, HttpAppNeeds>,
    upstream?: TestUpstream
  ): Layer.Layer<Subject> =>
    Layer.succeed(Subject, {
      start: Effect.fnUntraced(function*(circumstances): Effect.fn.Return<Started, never, Scope.Scope> {
        const place = upstream === undefined ? {} : { server_url: `${upstream.origin}/mcp` }
        const settings = yield* GatewayConfig.pipe(
          Effect.provide(GatewayConfig.layer({ ...circumstances.settings, ...place }), { local: true }),
          Effect.orDie
        )
        const { layer, recording } = makeFixture(settings, circumstances)
        return {
          app: yield* Effect.provide(build(app), layer, { local: true }),
          settings,
          verified: recording.verified,
          forwarded: upstream === undefined ? recording.forwarded : yield* behave(upstream, circumstances.upstream),
          tokenOf: ({ token }) => token,
          identityOf: (caller) => identityOf(settings, caller)
        }
      })
    })

  /** An app that is already connected to an issuer and to an MCP server. */
  static readonly layerClosed = <E>(app: Layer.Layer<HttpApp, E>, closed: ClosedApp): Layer.Layer<Subject> =>
    Layer.succeed(Subject, {
      start: (circumstances) => Effect.flatMap(build(app), (app) => startClosed(closed, app, circumstances))
    })
}
