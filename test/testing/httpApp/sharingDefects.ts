/** Gateways that are right about one request, and wrong about more than one, about long ones, or about who leaves. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import { GatewayConfig } from "../../../src/config/GatewayConfig.ts"
import type { UpstreamResponse } from "../../../src/forward/GatewayClient.ts"
import { HttpApp } from "../../../src/http/HttpApp.ts"
import type { Identity } from "../../../src/identity/Identity.ts"
import { TokenVerifier } from "../../../src/verify/TokenVerifier.ts"
import { around, type Defect, misconfigured, receiving, sending, sendingOther, verifying } from "./defects.ts"

const { HttpServerRequest: Request } = HttpServerRequest

/** Changes the identities that the verifier returns. */
const granting = (change: (scopes: ReadonlyArray<string>) => ReadonlyArray<string>) =>
  verifying((verify) => (token) =>
    Effect.map(verify(token), (identity) => ({ ...identity, scopes: change(identity.scopes) }))
  )

/** The gateway with other providers' settings. */
const withoutProviderScopes = HttpApp.layer.pipe(
  Layer.provide(Layer.effect(
    GatewayConfig,
    Effect.map(GatewayConfig, (settings) => ({
      ...settings,
      providers: settings.providers.map((provider) => ({ ...provider, requiredScopes: [] }))
    }))
  ))
)

/** The gateway with a limit that differs by some bytes. */
const withLimitOff = (bytes: number) =>
  HttpApp.layer.pipe(
    Layer.provide(Layer.effect(
      GatewayConfig,
      Effect.map(GatewayConfig, (settings) => ({ ...settings, maxBodyBytes: settings.maxBodyBytes + bytes }))
    ))
  )

const withStream = (change: (stream: Stream.Stream<Uint8Array, never>) => Stream.Stream<Uint8Array, never>) =>
  sending((send) => (request) =>
    Effect.map(send(request), (response): UpstreamResponse =>
      response.body._tag === "Stream"
        ? { ...response, body: { _tag: "Stream", stream: change(Stream.orDie(response.body.stream)) } }
        : response)
  )

export const sharingDefects: ReadonlyArray<Defect> = [
  ["takes a body that is a byte too long (HTTP-10)", ["APP-77"], withLimitOff(1)],
  ["rejects a body of the very limit (HTTP-10)", ["APP-77"], withLimitOff(-1)],
  [
    "writes the messages of defects into the log, which quote tokens (ERR-03)",
    ["APP-08"],
    verifying((verify) => (token) =>
      Effect.catchDefect(verify(token), (defect) => Effect.andThen(Effect.logError(String(defect)), Effect.die(defect)))
    )
  ],
  [
    "gives everybody the first caller's response (HTTP-16)",
    ["APP-07"],
    around((handle) => {
      const kept = new Map<string, HttpServerResponse.HttpServerResponse>()
      return Effect.flatMap(Request, ({ method, url }) => {
        const before = method === "GET" ? kept.get(url) : undefined
        return before !== undefined ? Effect.succeed(before) : Effect.tap(handle, (response) =>
          Effect.sync(() => {
            if (response.status === 200) kept.set(url, response)
          }))
      })
    })
  ],
  [
    "verifies the last caller (FWD-15)",
    ["APP-07"],
    HttpApp.layer.pipe(
      Layer.provide(Layer.effect(
        TokenVerifier,
        Effect.map(TokenVerifier, ({ verify }) => {
          let last: Parameters<typeof verify>[0] | undefined
          return TokenVerifier.of({
            verify: (token) =>
              Effect.suspend(() => {
                last = token
                return Effect.andThen(Effect.yieldNow, Effect.suspend(() => verify(last ?? token)))
              })
          })
        })
      ))
    )
  ],
  [
    "logs the fields of each request (ERR-03)",
    ["APP-08"],
    around((handle) =>
      Effect.flatMap(Request, ({ headers }) => Effect.andThen(Effect.logDebug("request", { ...headers }), handle))
    )
  ],
  [
    "logs the query of each request (CRED-08)",
    ["APP-08"],
    around((handle) =>
      Effect.flatMap(
        Request,
        ({ url }) => Effect.andThen(Effect.logInfo("request").pipe(Effect.annotateLogs({ url })), handle)
      )
    )
  ],
  [
    "writes the token into a span (ERR-03)",
    ["APP-08"],
    verifying((verify) => (token) =>
      Effect.withSpan(verify(token), "verify", { attributes: { token: Redacted.value(token) } })
    )
  ],
  [
    "verifies one token after the other",
    ["APP-09"],
    HttpApp.layer.pipe(
      Layer.provide(Layer.effect(
        TokenVerifier,
        Effect.map(TokenVerifier, ({ verify }) => {
          const door = Semaphore.makeUnsafe(1)
          return TokenVerifier.of({ verify: (token) => door.withPermits(1)(verify(token)) })
        })
      ))
    )
  ],
  [
    "waits for the first event before it responds",
    ["APP-85"],
    sending((send) =>
      Effect.fnUntraced(function*(request) {
        const response = yield* send(request)
        if (response.body._tag !== "Stream") return response
        const [first, rest] = yield* Stream.peel(Stream.orDie(response.body.stream), Sink.take(1))
        return { ...response, body: { _tag: "Stream", stream: Stream.concat(Stream.fromIterable(first), rest) } }
      })
    )
  ],
  ["hands events on two by two", ["APP-85"], withStream(Stream.rechunk(2))],
  ["drops the comments of event streams", ["APP-88"], withStream(Stream.filter((chunk) => chunk[0] !== 0x3a))],
  [
    "ends a response that was broken off",
    ["APP-89"],
    sending((send) => (request) =>
      Effect.map(send(request), (response): UpstreamResponse =>
        response.body._tag === "Stream"
          ? { ...response, body: { _tag: "Stream", stream: Stream.catch(response.body.stream, () => Stream.empty) } }
          : response)
    )
  ],
  [
    "knows the client of a session without its token",
    ["APP-15"],
    around((handle) => {
      const tokens = new Map<string, string>()
      return Effect.updateService(handle, Request, (request) => {
        const { authorization, "mcp-session-id": session } = request.headers
        if (session === undefined) return request
        if (authorization !== undefined) tokens.set(session, authorization)
        const known = authorization ?? tokens.get(session)
        return known === undefined ? request : request.modify({ headers: { ...request.headers, authorization: known } })
      })
    })
  ],
  [
    "serves a hundred requests",
    ["APP-16"],
    around((handle) => {
      let count = 0
      return Effect.suspend(() => ++count > 100 ? Effect.succeed(HttpServerResponse.empty({ status: 429 })) : handle)
    })
  ],
  [
    "sends the method that a field names",
    ["APP-17"],
    sendingOther((request, { headers }) => ({
      method: ["x-http-method-override", "x-http-method", "x-method-override", "x_http_method_override"]
        .map((name) => headers[name]).find((method) => method !== undefined) ?? request.method
    }))
  ],
  [
    "takes the path that a field names",
    ["APP-19"],
    receiving((request) => {
      const url = request.headers["x-original-url"] ?? request.headers["x-rewrite-url"]
      return url === undefined ? request : request.modify({ url })
    })
  ],
  [
    "drops the slash at the end of a path",
    ["APP-18"],
    sendingOther(({ target }) => ({ target: target.replace(/\/(?=$|\?)/, "") }))
  ],
  [
    "goes on when the client has left",
    ["APP-86"],
    sending((send) => (request) => Effect.flatMap(Effect.forkDetach(send(request)), Fiber.join))
  ],
  [
    "lets streams outlive their tokens (CACHE-01)",
    ["APP-87"],
    verifying((verify) => (token) => Effect.map(verify(token), (identity) => ({ ...identity, expiresAt: undefined })))
  ],
  [
    "forgets the scopes of the provider (CLM-15)",
    ["APP-58"],
    withoutProviderScopes
  ],
  [
    "takes a scope for those that begin with it (CLM-15)",
    ["APP-58"],
    granting((
      scopes
    ) => [...scopes, ...scopes.flatMap((scope) => ["mcp:read", "mcp:write"].filter((one) => one.startsWith(scope)))])
  ],
  [
    "tells of the email of the caller before (FWD-15)",
    ["APP-07"],
    sending((send) => {
      let email: Readonly<Record<string, string>> = {}
      return (request) => {
        const own = request.headers["x-auth-email"]
        email = own === undefined ? email : { "x-auth-email": own }
        return send({ ...request, headers: { ...request.headers, ...email } })
      }
    })
  ],
  [
    "describes itself to all as to the first client (DISC-07)",
    ["APP-14"],
    around((handle) => {
      const kept = new Map<string, HttpServerResponse.HttpServerResponse>()
      return Effect.flatMap(Request, ({ url }) => {
        const before = url.startsWith("/.well-known/") ? kept.get(url) : undefined
        return before !== undefined
          ? Effect.succeed(before)
          : Effect.tap(handle, (response) => Effect.sync(() => kept.set(url, response)))
      })
    })
  ],
  [
    "lets tokens that have ended read (CLM-01)",
    ["APP-54"],
    verifying((verify, { method }) => (token) =>
      Effect.catchIf(
        verify(token),
        (error) => method === "GET" && error._tag === "InvalidToken" && error.reason === "Expired",
        () =>
          Effect.succeed<Identity>({
            subject: "anyone",
            clientId: undefined,
            issuer: "https://issuer.example",
            scopes: ["mcp:read", "tools:call"],
            email: undefined,
            name: undefined,
            provider: "static",
            expiresAt: undefined,
            claims: {}
          })
      )
    )
  ],
  [
    "looks at the origin of callers with a token only (WEB-01)",
    ["APP-55"],
    receiving((request) => {
      const { origin: _, ...others } = request.headers
      return request.headers["authorization"] === undefined ? request.modify({ headers: others }) : request
    })
  ],
  ["lets no page call", ["APP-59"], misconfigured({ allowedOrigins: { _tag: "List", origins: [] } })],
  ["reads bodies of any size (DOS-01)", ["APP-74"], misconfigured({ maxBodyBytes: Number.MAX_SAFE_INTEGER })],
  [
    "reads the body before it looks at the token (DOS-01)",
    ["APP-75"],
    around((handle) => Effect.flatMap(Request, (request) => Effect.andThen(Effect.ignore(request.arrayBuffer), handle)))
  ],
  ["looks at tokens of any length (CRED-12)", ["APP-76"], misconfigured({ maxTokenBytes: Number.MAX_SAFE_INTEGER })]
]
