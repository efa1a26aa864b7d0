/** The services of the app under test, in memory and controlled by the case. */
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../../config/GatewayConfigInput.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import {
  InvalidToken,
  ProviderUnavailable,
  UpstreamTimeout,
  UpstreamUnavailable,
  type VerificationError
} from "../../errors/GatewayError.ts"
import { GatewayClient, type UpstreamRequest, type UpstreamResponse } from "../../forward/GatewayClient.ts"
import type { Identity } from "../../identity/Identity.ts"
import { metadataUrl } from "../../remote/issuerUrl.ts"
import { MetadataUnavailable, ProviderMetadata } from "../../remote/ProviderMetadata.ts"
import { type ProviderReadiness, ProviderRegistry } from "../../verify/ProviderRegistry.ts"
import { TokenVerifier } from "../../verify/TokenVerifier.ts"
import type { Caller, Verdict } from "./caller.ts"
import { type UpstreamBehaviour, upstreamMark } from "./upstream.ts"

/** All circumstances of a case. */
export interface Circumstances {
  readonly settings: GatewayConfigInput
  readonly caller: Caller
  readonly verdict: Verdict
  readonly upstream: UpstreamBehaviour
  /** Other callers whose tokens are accepted. Default: none. */
  readonly others?: ReadonlyArray<Caller>
  /** Whether the providers are unreachable. Default: `false`. */
  readonly providersDown?: boolean
}

/** Part of every detail that is meant for the log. Must not appear in any response. */
export const privateDetail = "private-detail-bm90Zm9ydGhld2lyZQ"

/** What the services of the app record. */
export interface Recording {
  readonly verified: Array<string>
  readonly forwarded: Array<UpstreamRequest>
}

/** Returns all scopes that a token of the settings' first provider must have. */
export const requiredScopes = ({ providers, requiredScopes }: GatewaySettings): ReadonlyArray<string> => [
  ...new Set([...requiredScopes, ...providers[0]?.requiredScopes ?? []])
]

/** Returns the identity of the caller's token once it is verified. */
export const identityOf = (settings: GatewaySettings, caller: Caller): Identity => ({
  subject: caller.subject,
  clientId: caller.clientId,
  issuer: "https://issuer.example/\u00e9",
  scopes: [...requiredScopes(settings), ...caller.scopes],
  email: caller.email,
  name: caller.claim,
  provider: settings.providers[0]?.name ?? "none",
  expiresAt: undefined,
  claims: { claim: caller.claim }
})

/** A defect whose message quotes what it was given, as those of parsers do. */
const fault = (quoted: string): never => {
  throw new Error(`${privateDetail} at token.js:1: unexpected "${quoted}"`)
}

const verify = (
  settings: GatewaySettings,
  { caller, others = [], verdict }: Circumstances,
  token: string
): Effect.Effect<Identity, VerificationError> => {
  const provider = settings.providers[0]?.name ?? "none"
  const other = others.find((other) => other.token === token)
  if (other !== undefined) return Effect.succeed(identityOf(settings, other))
  if (token !== caller.token) {
    return Effect.fail(new InvalidToken({ reason: "UnknownToken", provider, detail: privateDetail }))
  }
  const identity = identityOf(settings, caller)
  switch (verdict._tag) {
    case "Good":
      return Effect.succeed(identity)
    case "Unscoped": {
      const { instead = () => [], missing = 0 } = verdict
      const scopes = identity.scopes.flatMap((scope, index) => index === missing ? instead(scope) : [scope])
      return Effect.succeed({ ...identity, scopes })
    }
    case "Rejected":
      return Effect.fail(new InvalidToken({ reason: verdict.reason, provider, detail: privateDetail }))
    case "Unavailable":
      return Effect.fail(
        new ProviderUnavailable({ provider, detail: privateDetail, retryAfter: verdict.retryAfter })
      )
    case "Faulty":
      return Effect.sync(() => fault(token))
    case "Scripted":
      return Effect.as(verdict.until, { ...identity, ...verdict.changes })
  }
}

const encoder = new TextEncoder()

const bodyOf = (text: string, streamed: boolean): UpstreamResponse["body"] => {
  if (text === "") return { _tag: "Empty" }
  const bytes = encoder.encode(text)
  const half = bytes.length >> 1
  return streamed
    ? { _tag: "Stream", stream: Stream.make(bytes.subarray(0, half), bytes.subarray(half)) }
    : { _tag: "Bytes", bytes }
}

/** Responds as the MCP server of a case does. */
export const send = (
  behaviour: UpstreamBehaviour,
  request: UpstreamRequest
): Effect.Effect<UpstreamResponse, UpstreamUnavailable | UpstreamTimeout, Scope.Scope> => {
  switch (behaviour._tag) {
    case "Responds":
      return Effect.succeed({
        status: behaviour.status,
        headers: { ...behaviour.headers, [upstreamMark]: "yes" },
        body: bodyOf(behaviour.body, behaviour.streamed)
      })
    case "Unavailable":
      return Effect.fail(new UpstreamUnavailable({ detail: privateDetail }))
    case "TimedOut":
      return Effect.fail(new UpstreamTimeout({ millis: 1000 }))
    case "Faulty":
      return Effect.sync(() => fault(decodeURIComponent(request.headers["x-auth-user-id"] ?? "")))
    case "Scripted":
      return Effect.map(behaviour.respond(request), (response) => ({
        ...response,
        headers: { ...response.headers, [upstreamMark]: "yes" }
      }))
  }
}

/** The metadata document of a provider. Its further members do not matter. */
export const publishedMetadata = (issuer: string): Readonly<Record<string, unknown>> => ({
  issuer,
  authorization_endpoint: "https://login.example/authorize",
  token_endpoint: "https://login.example/token",
  "x-own-member": [1, { a: null }]
})

/** Builds the layers of a case, and their recording. */
export const makeFixture = (settings: GatewaySettings, circumstances: Circumstances) => {
  const { providersDown = false } = circumstances
  const recording: Recording = { verified: [], forwarded: [] }
  const layer = Layer.mergeAll(
    Digest.layerWebCrypto,
    Layer.succeed(GatewayConfig, settings),
    Layer.succeed(TokenVerifier, {
      verify: (token) =>
        Effect.suspend(() => {
          recording.verified.push(Redacted.value(token))
          return verify(settings, circumstances, Redacted.value(token))
        })
    }),
    Layer.succeed(GatewayClient, {
      send: (request) =>
        Effect.suspend(() => {
          recording.forwarded.push(request)
          return send(circumstances.upstream, request)
        })
    }),
    Layer.succeed(ProviderMetadata, {
      document: ({ issuer }) =>
        providersDown
          ? Effect.fail(new MetadataUnavailable({ detail: privateDetail }))
          : Effect.succeed(publishedMetadata(issuer)),
      location: ({ issuer }, preferred) =>
        providersDown
          ? Effect.fail(new MetadataUnavailable({ detail: privateDetail }))
          : Effect.succeed(metadataUrl(issuer, preferred))
    }),
    Layer.mock(ProviderRegistry, {
      readiness: Effect.succeed(
        settings.providers.map(({ name }): ProviderReadiness => ({
          provider: name,
          ready: !providersDown,
          state: providersDown ? "unavailable" : "ready"
        }))
      )
    })
  )
  return { layer, recording }
}
