import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import { type ErrorStyle, errorStyles } from "../../src/config/GatewaySettings.ts"
import * as Errors from "../../src/errors/GatewayError.ts"
import { formatChallenge } from "../../src/http/challenge.ts"
import { dialects } from "../../src/http/dialects.ts"
import { errorResponse, internalFault } from "../../src/http/errorResponse.ts"
import { invalidRequestTexts, invalidTokenTexts } from "../../src/http/errorTexts.ts"
import * as Challenge from "../../src/testing/parseChallenge.ts"

const parseChallenge = (value: string) => {
  const { parameters, scheme } = Challenge.parseChallenge(value)
  return { scheme, parameters: Object.fromEntries(parameters) }
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?")

const root = "http://localhost:3000/.well-known/oauth-protected-resource"

const reply = (error: Errors.GatewayError, style: ErrorStyle = "oauth", requiredScopes: ReadonlyArray<string> = []) =>
  HttpServerResponse.toWeb(errorResponse(error, { style, resourceMetadata: root, requiredScopes }))

const bodyOf = (response: Response) => Effect.promise(() => response.json())

const invalidToken = (reason: Errors.InvalidTokenReason) =>
  new Errors.InvalidToken({ reason, provider: "authkit", detail: "secret detail" })

/** One of each, with its status: the list is checked against the union by its type. */
const all: { readonly [Tag in Errors.GatewayError["_tag"]]: [Extract<Errors.GatewayError, { _tag: Tag }>, number] } = {
  MissingCredential: [new Errors.MissingCredential(), 401],
  TokenRequired: [new Errors.TokenRequired({ required: ["notes:delete"], detail: "secret detail" }), 401],
  DeniedByRule: [new Errors.DeniedByRule({ rule: 1, detail: "secret detail" }), 403],
  UnsupportedCredential: [new Errors.UnsupportedCredential({ detail: "secret detail" }), 401],
  InvalidRequest: [new Errors.InvalidRequest({ reason: "MalformedHost", detail: "secret detail" }), 400],
  HeaderMismatch: [new Errors.HeaderMismatch({ field: "Mcp-Name", id: 7, detail: "secret detail" }), 400],
  MissingProtocolVersion: [new Errors.MissingProtocolVersion({ id: "a", detail: "secret detail" }), 400],
  InvalidToken: [invalidToken("Expired"), 401],
  CredentialTooLarge: [new Errors.CredentialTooLarge({ limit: 8192, size: 8193 }), 431],
  InsufficientScope: [new Errors.InsufficientScope({ required: ["a", "b"] }), 403],
  InteractionRequired: [
    new Errors.InteractionRequired({ required: ["a"], claims: undefined, detail: "secret detail" }),
    403
  ],
  AccessDenied: [new Errors.AccessDenied({ reason: "Origin", detail: "secret detail" }), 403],
  NotFound: [new Errors.NotFound(), 404],
  SessionNotFound: [new Errors.SessionNotFound({ detail: "secret detail" }), 404],
  MethodNotAllowed: [new Errors.MethodNotAllowed({ allow: ["GET", "HEAD"] }), 405],
  DiscoveryNotSupported: [new Errors.DiscoveryNotSupported(), 404],
  PayloadTooLarge: [new Errors.PayloadTooLarge({ limit: 1 }), 413],
  UnsupportedMediaType: [new Errors.UnsupportedMediaType({ detail: "secret detail" }), 415],
  ProviderUnavailable: [
    new Errors.ProviderUnavailable({ provider: "authkit", detail: "secret detail", retryAfter: 4.2 }),
    500
  ],
  UpstreamUnavailable: [new Errors.UpstreamUnavailable({ detail: "secret detail" }), 502],
  UpstreamTimeout: [new Errors.UpstreamTimeout({ millis: 1 }), 504],
  OAuthRejected: [new Errors.OAuthRejected({ error: "invalid_grant", reason: "Code", detail: "secret detail" }), 400],
  Overloaded: [new Errors.Overloaded({ detail: "secret detail", retryAfter: 5 }), 503],
  RateLimited: [new Errors.RateLimited({ detail: "secret detail", retryAfter: 4.2 }), 429],
  StoreUnavailable: [new Errors.StoreUnavailable({ detail: "secret detail", retryAfter: 1 }), 503],
  UpstreamScopeRequired: [new Errors.UpstreamScopeRequired({ required: ["a"], detail: "secret detail" }), 403]
}

const scopeOf = (error: Errors.GatewayError, style: ErrorStyle, required: ReadonlyArray<string>) =>
  parseChallenge(reply(error, style, required).headers.get("www-authenticate") ?? "").parameters["scope"]

describe("errorResponse", () => {
  it("AuthKit Example, FTL MCP Authorizer: missing credentials get exactly this challenge", () => {
    assert.strictEqual(
      reply(new Errors.MissingCredential()).headers.get("www-authenticate"),
      `Bearer error="unauthorized", error_description="Missing authorization header", resource_metadata="${root}"`
    )
  })

  it.effect("every error has its status in every style, JSON, no-store, and nothing of its detail", () =>
    Effect.gen(function*() {
      for (const style of errorStyles) {
        for (const [error, status] of Object.values(all)) {
          const response = reply(error, style)
          const text = JSON.stringify(yield* bodyOf(response)) + response.headers.get("www-authenticate")
          assert.strictEqual(response.status, status, error._tag)
          assert.strictEqual(response.headers.get("content-type"), "application/json")
          assert.strictEqual(response.headers.get("cache-control"), "no-store")
          assert.notInclude(text, "secret detail")
          assert.notInclude(text, "authkit")
        }
      }
    }))

  it("CH-17 exactly 401 and 403 carry a challenge, and it parses", () => {
    for (const style of errorStyles) {
      for (const [error, status] of Object.values(all)) {
        const challenge = reply(error, style, ["need"]).headers.get("www-authenticate")
        assert.strictEqual(challenge !== null, status === 401 || status === 403, error._tag)
        if (challenge === null) continue
        const { parameters, scheme } = parseChallenge(challenge)
        assert.strictEqual(scheme, "Bearer")
        assert.strictEqual(parameters["resource_metadata"], root)
      }
    }
  })

  it.effect("each style has its own form for missing and for bad credentials", () =>
    Effect.gen(function*() {
      const errors = (style: ErrorStyle) =>
        [new Errors.MissingCredential(), invalidToken("Expired")].map((error) =>
          parseChallenge(reply(error, style).headers.get("www-authenticate") ?? "").parameters["error"]
        )
      assert.deepStrictEqual(errors("oauth"), ["unauthorized", "invalid_token"])
      assert.deepStrictEqual(errors("unauthorized"), ["unauthorized", "unauthorized"])
      assert.deepStrictEqual(errors("jsonrpc"), [undefined, "invalid_token"])
      assert.deepStrictEqual(errors("rfc6750"), [undefined, "invalid_token"])
      assert.deepStrictEqual(yield* bodyOf(reply(invalidToken("MalformedToken"), "unauthorized")), {
        error: "unauthorized",
        error_description: "Invalid token format"
      })
      assert.deepStrictEqual(yield* bodyOf(reply(new Errors.MissingCredential(), "jsonrpc")), {
        jsonrpc: "2.0",
        id: null,
        error: { code: -32001, message: "Unauthorized: Bearer token required" }
      })
      assert.deepStrictEqual(yield* bodyOf(reply(invalidToken("Expired"), "jsonrpc")), {
        jsonrpc: "2.0",
        id: null,
        error: {
          code: -32001,
          message: "Token has expired",
          data: { error: "invalid_token", error_description: "Token has expired" }
        }
      })
    }))

  it("Retry-After is a whole number of seconds for every verifier", () => {
    const fields = [4.2, 0, -1, 10, Number.NaN, Number.POSITIVE_INFINITY].map((retryAfter) =>
      reply(new Errors.ProviderUnavailable({ provider: "own", detail: "", retryAfter })).headers.get("retry-after")
    )
    assert.deepStrictEqual(fields, ["5", "1", "1", "10", "10", "10"])
  })

  it("CH-13 insufficient scope names all the required scopes", () => {
    const challenge = reply(new Errors.InsufficientScope({ required: ["a", "b"] })).headers.get("www-authenticate")
    assert.deepStrictEqual(parseChallenge(challenge ?? "").parameters, {
      error: "insufficient_scope",
      error_description: "Token missing required scopes",
      scope: "a b",
      resource_metadata: root
    })
  })

  it("every dialect names in a 401 the scopes that are known, and never offline_access", () => {
    const more = new Errors.TokenRequired({ required: ["a", "offline_access", "c"], detail: "" })
    for (const style of errorStyles) {
      for (const error of [new Errors.MissingCredential(), invalidToken("Expired")]) {
        assert.strictEqual(scopeOf(error, style, ["a", "offline_access", "b"]), "a b", style)
        assert.isUndefined(scopeOf(error, style, ["offline_access"]))
        assert.isUndefined(scopeOf(error, style, []))
      }
      assert.strictEqual(scopeOf(more, style, ["a"]), "a c")
      const insufficient = new Errors.InsufficientScope({ required: ["offline_access", "d"] })
      assert.strictEqual(scopeOf(insufficient, style, []), "d")
    }
  })

  it("no public text contains what client parsers search for", () => {
    for (const text of [...Object.values(invalidTokenTexts), ...Object.values(invalidRequestTexts)]) {
      assert.notMatch(text, /scope=|error=|resource_metadata=|["\\]/)
    }
  })

  it.effect("an internal failure looks like every other error, and reveals nothing", () =>
    Effect.gen(function*() {
      const response = HttpServerResponse.toWeb(
        internalFault({ style: "oauth", resourceMetadata: root, requiredScopes: [] })
      )
      assert.strictEqual(response.status, 500)
      assert.deepStrictEqual(yield* bodyOf(response), {
        error: "server_error",
        error_description: "Internal server error"
      })
    }))

  it("an unavailable provider gives Retry-After in whole seconds", () => {
    assert.strictEqual(reply(all.ProviderUnavailable[0]).headers.get("retry-after"), "5")
  })
})

describe("dialects", () => {
  it("do not compile while one is missing", () => {
    const { rfc6750: _, ...others } = dialects
    // @ts-expect-error a style of `MCP_ERROR_STYLE` without a dialect
    const incomplete: typeof dialects = others
    const complete: typeof dialects = { ...others, rfc6750: dialects.rfc6750 }
    assert.sameMembers(Object.keys(complete), [...errorStyles])
    assert.notInclude(Object.keys(incomplete), "rfc6750")
  })
})

describe("formatChallenge", () => {
  it.effect.prop("ERR-01 the challenge parses back to the same parameters, for every value", {
    scope: Schema.String,
    url: Schema.String
  }, ({ scope, url }) =>
    Effect.sync(() => {
      const challenge = formatChallenge({ error: "invalid_token", scope, resource_metadata: url })
      assert.match(challenge, /^[\x20-\x7e]*$/)
      assert.deepStrictEqual(parseChallenge(challenge), {
        scheme: "Bearer",
        parameters: { error: "invalid_token", scope: printable(scope), resource_metadata: printable(url) }
      })
    }))
})
