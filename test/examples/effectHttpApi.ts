/** An `HttpApi` of Effect whose endpoints know their caller, with errors that its clients decode. */
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { CurrentIdentity, GatewayConfig, type GatewayConfigInput, layerVerifier } from "mcp-authorizer"
import { HttpApiAuthentication } from "mcp-authorizer/middleware/HttpApiAuthentication"

class NotYours extends Schema.Error<NotYours>("NotYours")({
  _tag: Schema.tag("NotYours")
}, { httpApiStatus: 409 }) {}

/** The API, for its server and its clients. */
export const Notes = HttpApi.make("notes")
  .add(HttpApiGroup.make("public").add(HttpApiEndpoint.get("hello", "/hello", { success: Schema.String })))
  .add(
    HttpApiGroup.make("me")
      .add(HttpApiEndpoint.get("whoami", "/whoami", { success: Schema.String }))
      .add(HttpApiEndpoint.post("take", "/take", { payload: Schema.String, success: Schema.String, error: NotYours }))
      .middleware(HttpApiAuthentication)
  )

const Public = HttpApiBuilder.group(
  Notes,
  "public",
  (handlers) => handlers.handle("hello", () => Effect.succeed("not protected"))
)

const Me = HttpApiBuilder.group(Notes, "me", (handlers) =>
  handlers
    .handle("whoami", () => Effect.map(CurrentIdentity, ({ clientId, subject }) => `${subject} through ${clientId}`))
    .handle("take", ({ payload }) =>
      Effect.flatMap(CurrentIdentity, ({ subject }) =>
        payload === subject ? Effect.succeed(payload) : Effect.fail(new NotYours()))))

/** The routes of the API, and those of the discovery documents. */
export const makeRoutes = (settings: GatewayConfigInput) =>
  HttpApiBuilder.layer(Notes).pipe(
    Layer.provide([Public, Me]),
    Layer.provide(HttpApiAuthentication.layer),
    Layer.provide(layerVerifier),
    Layer.provide(GatewayConfig.layer(settings))
  )
