import * as Context from "effect/Context"
import type * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { HttpApp, type HttpAppNeeds as AppNeeds } from "../../http/HttpApp.ts"

/** The services that an app may require, all provided by the suite. */
export type HttpAppNeeds = AppNeeds | Digest.Digest

/** The app under test, built again for each case, because its settings are a part of the case. */
export class Subject extends Context.Service<Subject, {
  readonly build: Effect.Effect<HttpApp["Service"], never, HttpAppNeeds | Scope.Scope>
}>()("mcp-authorizer/testing/httpApp/Subject") {
  /** All settings of the suite are valid: an app that cannot be built with them dies. */
  static readonly layer = <E>(app: Layer.Layer<HttpApp, E, HttpAppNeeds>): Layer.Layer<Subject> =>
    Layer.succeed(Subject, {
      build: Effect.gen(function*() {
        // A separate memo map: with a shared one, every case would get the first app.
        const context = yield* Layer.buildWithMemoMap(app, yield* Layer.makeMemoMap, yield* Scope.Scope)
        return Context.get(context, HttpApp)
      }).pipe(Effect.orDie)
    })
}
