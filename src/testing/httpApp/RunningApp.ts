import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { UpstreamRequest } from "../../forward/GatewayClient.ts"
import type { Identity } from "../../identity/Identity.ts"
import type { ClientRequest } from "./clientRequest.ts"
import { Subject } from "./Subject.ts"
import { type Circumstances, identityOf, surround } from "./surroundings.ts"
import { upstreamMark } from "./upstream.ts"

/** An answer, read to its end. */
export interface AppAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** It is the MCP server's answer, handed on. */
  readonly relayed: boolean
}

/** An app in its circumstances. */
export interface RunningApp {
  readonly settings: GatewaySettings
  /** Whom the caller's token stands for, if it is good. */
  readonly identity: Identity
  readonly send: (request: ClientRequest) => Effect.Effect<AppAnswer>
  /** What the MCP server has received, in order. */
  readonly forwarded: ReadonlyArray<UpstreamRequest>
  /** The tokens that the verifier was shown, in order. */
  readonly verified: ReadonlyArray<string>
}

/** The authority that clients know the app by, unless they send another `Host`. */
export const authority = "gateway.test"

const addressed = (settings: GatewaySettings, token: string, { body, headers, method, target }: ClientRequest) => {
  const path = settings.path === "/" ? "" : settings.path
  const fill = (text: string): string => text.replaceAll("{mcp}", () => path).replaceAll("{token}", () => token)
  const filled = fill(target)
  const text = body === undefined || method === "GET" || method === "HEAD" ? undefined : fill(body)
  const fields = new Headers({ host: authority })
  if (text !== undefined) fields.set("content-length", String(new TextEncoder().encode(text).length))
  for (const [name, value] of Object.entries(headers)) fields.set(name, fill(value))
  return new Request(`http://${authority}${filled.startsWith("/") ? filled : `/${filled}`}`, {
    method,
    headers: fields,
    ...(text === undefined ? {} : { body: text })
  })
}

/** Builds the app under test in the given circumstances. */
export const runApp = Effect.fnUntraced(function*(
  circumstances: Circumstances
): Effect.fn.Return<RunningApp, never, Subject | Scope.Scope> {
  const { build } = yield* Subject
  const settings = yield* GatewayConfig.pipe(
    Effect.provide(GatewayConfig.layer(circumstances.settings), { local: true }),
    Effect.orDie
  )
  const { layer, witness } = surround(settings, circumstances)
  const app = yield* Effect.provide(build, layer, { local: true })
  // Cases are many, and what the app logs is another suite's matter.
  const context = Context.add(yield* Effect.context<never>(), References.MinimumLogLevel, "None")
  const handler = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(context)(
    app.handle
  )
  return {
    settings,
    identity: identityOf(settings, circumstances.caller),
    ...witness,
    send: (request) =>
      Effect.promise(async () => {
        const answer = await handler(addressed(settings, circumstances.caller.token, request))
        const { headers, status } = answer
        return { status, headers, text: await answer.text(), relayed: headers.has(upstreamMark) }
      })
  }
})
