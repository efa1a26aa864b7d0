/** A gateway in front of a recording upstream, on real sockets, shared by the tests of one file. */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { randomUUID } from "node:crypto"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import type * as NodeGateway from "../../src/node/NodeGateway.ts"
import { ping } from "../fixtures/messages.ts"
import { asOwn } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "./canary.ts"
import { type RunningGateway, startGateway } from "./gateway.ts"
import { rawExchange, rawRequest } from "./rawHttp.ts"
import type { RecordedRequest } from "./RecordedRequest.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "./RecordingUpstream.ts"

/** One request, with defaults for the usual parts. */
export interface FixtureRequest {
  /** Default: `POST`. */
  readonly method?: string
  /** Default: `/mcp`. */
  readonly target?: string
  /** The value of `Host`. Default: `127.0.0.1`. */
  readonly host?: string
  /** The value of `Authorization`. Default: the fixture's token. `null`: no such field. */
  readonly authorization?: string | null
  /** Further field lines, with one byte for each character. */
  readonly lines?: ReadonlyArray<string>
  /** Default: a `ping` for `POST`, otherwise no body. `null`: no body. Text is sent in UTF-8. */
  readonly body?: string | Uint8Array | null
  /** Default: `application/json` if there is a body. `null`: no such field. */
  readonly contentType?: string | null
}

/** The body that the upstream received, as text. */
export const textOf = (request: RecordedRequest): Effect.Effect<string> =>
  Effect.map(request.body, (bytes) => Buffer.from(bytes).toString())

/** The request as bytes, with one byte for each character. */
const bytesOf = (token: string, request: FixtureRequest): string => {
  const { authorization = `Bearer ${token}`, host = "127.0.0.1", lines = [], method = "POST", target = "/mcp" } =
    request
  const given = request.body === undefined ? (method === "POST" ? ping : null) : request.body
  const body = given === null ? undefined : Buffer.from(given)
  const contentType = request.contentType === undefined && body !== undefined ? "application/json" : request.contentType
  return rawRequest([
    `${method} ${target} HTTP/1.1`,
    `Host: ${host}`,
    ...(authorization === null ? [] : [`Authorization: ${authorization}`]),
    ...(typeof contentType === "string" ? [`Content-Type: ${contentType}`] : []),
    ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
    ...lines
  ], body?.toString("latin1"))
}

/** The options of a fixture, apart from the upstream that it creates. */
export interface GatewayUnderTest {
  readonly settings: GatewaySettings
  /** A token that the gateway accepts. */
  readonly token: string
  readonly verifier?: NodeGateway.Verification
}

export class GatewayFixture extends Context.Service<GatewayFixture, {
  readonly gateway: RunningGateway
  readonly upstream: RecordingUpstream
  /** The log of the gateway, at every level. */
  readonly logs: LogCapture["Service"]
  /** A valid token that only this fixture has, so that its traces can be searched for. */
  readonly token: string
  /** Sends bytes, for requests that `send` cannot express. */
  readonly bytes: (request?: FixtureRequest) => string
  /** Sends one request on a new connection and waits for the response. */
  readonly send: (request?: FixtureRequest) => ReturnType<typeof rawExchange>
  /** Sends a request that must get 200 and reach the upstream once; returns what the upstream saw. */
  readonly forwarded: (request?: FixtureRequest) => Effect.Effect<RecordedRequest>
  /** Clears the recorded requests, the log and the response to send. */
  readonly reset: Effect.Effect<void>
}>()("mcp-authorizer/test/support/GatewayFixture") {
  /** A gateway that knows one static token, that of `dev-user`. */
  static readonly make = (overrides: Partial<GatewaySettings> = {}) =>
    GatewayFixture.over(({ origin }) => {
      const token = `canary-${randomUUID()}`
      const defaults = settings(`${origin}/internal`)
      const providers = defaults.providers.map((configured) => {
        const provider = asOwn(configured)
        return provider.type !== "static" ? provider : {
          ...provider,
          tokens: provider.tokens.map((known) => Object.assign({}, known, { token: Redacted.make(token) }))
        }
      })
      return Effect.succeed({ settings: { ...defaults, providers, ...overrides }, token })
    })

  /** A gateway with any settings, in front of an upstream of its own. */
  static readonly over = Effect.fnUntraced(function*<E, R>(
    describe: (upstream: RecordingUpstream) => Effect.Effect<GatewayUnderTest, E, R>
  ) {
    const upstream = yield* makeRecordingUpstream
    const capture = yield* Layer.build(LogCapture.layer)
    const logs = Context.get(capture, LogCapture)
    const { settings, token, verifier } = yield* describe(upstream)
    const gateway = yield* startGateway(settings, {
      logger: Layer.succeedContext(capture),
      ...(verifier === undefined ? {} : { verifier })
    })

    const send = (request: FixtureRequest = {}) =>
      rawExchange(gateway.origin, bytesOf(token, request), { bodiless: request.method === "HEAD" })

    return GatewayFixture.of({
      gateway,
      upstream,
      logs,
      token,
      bytes: (request = {}) => bytesOf(token, request),
      send,
      forwarded: Effect.fnUntraced(function*(request = {}) {
        const before = upstream.requests().length
        const { responses, outcome } = yield* send(request)
        const response = responses.find(({ status }) => status >= 200)
        assert.deepStrictEqual([outcome, response?.status], ["Responded", 200], response?.text)
        const [recorded, second] = upstream.requests().slice(before)
        assert.isUndefined(second, "the upstream saw more than one request")
        return recorded ?? assert.fail("the upstream saw no request")
      }),
      reset: Effect.andThen(upstream.reset, logs.clear)
    })
  })

  /** Keep it in a `const`: each call builds another gateway. */
  static readonly layer = (overrides?: Partial<GatewaySettings>) =>
    Layer.effect(GatewayFixture, GatewayFixture.make(overrides))
}
