// @effect-diagnostics missingLayerContext:off (what must not compile says so by @ts-expect-error)
/** Claims in the shape that the program declares: decoded for handlers, 403 where they do not fit. */
import { assert, describe, it } from "@effect/vitest"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import {
  Authentication,
  CurrentClaims,
  CurrentIdentity,
  GatewayConfig,
  type GatewayConfigInput,
  type InvalidConfiguration,
  layerVerifier,
  makeFetchMiddleware,
  makeOAuthTokenVerifier,
  requireToolScopes,
  TokenVerifier
} from "mcp-authorizer"
import { makeNodeMiddleware } from "mcp-authorizer/middleware/NodeMiddleware"
import { TestIssuer } from "mcp-authorizer/testing"
import * as BearerToken from "../../src/credential/BearerToken.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import type { UnusablePublicKey } from "../../src/keys/publicKey.ts"
import { serveRoutes } from "../support/serve.ts"

const Staff = Schema.Struct({
  department: Schema.NonEmptyString,
  level: Schema.optionalKey(Schema.FiniteFromString)
})

class StaffClaims extends CurrentClaims<StaffClaims>()("StaffClaims", Staff) {}

class OtherClaims extends CurrentClaims<OtherClaims>()("OtherClaims", Schema.Struct({ tenant: Schema.String })) {}

const settingsOf = (issuer: TestIssuer["Service"]): GatewayConfigInput => ({
  jwt_issuer: issuer.issuer,
  jwt_jwks_uri: issuer.jwksUri,
  jwt_audience: "auto",
  public_url: "https://notes.example.com"
})

/** The claims of tokens, the results, and the log. */
const rows = [
  { claims: { department: "sales", level: "3" }, status: 200, body: { department: "sales", level: 3 } },
  { claims: { department: "sales" }, status: 200, body: { department: "sales" } },
  { claims: {}, status: 403, logged: "department: Missing key" },
  { claims: { department: "" }, status: 403, logged: "department: " },
  { claims: { department: ["hush-hush"] }, status: 403, logged: "department: " },
  { claims: { department: "sales", level: "hush-hush" }, status: 403, logged: "level: " }
] as const

const captured = () => {
  const lines: Array<string> = []
  const logger = Logger.layer([Logger.make((entry) => void lines.push(Logger.formatJson.log(entry)))])
  return { logger, text: () => lines.join("\n") }
}

const identity = (claims: Identity["claims"]): Identity => ({
  subject: "s",
  clientId: undefined,
  issuer: "i",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "p",
  expiresAt: undefined,
  claims
})

const found = (token: string) => identity(token === "good" ? { department: "sales" } : { department: 1 })

const request = (authorization: string) => new Request("https://notes.example.com/mcp", { headers: { authorization } })

describe("claims of a Schema", () => {
  it.live("EMBED-36 gives handlers decoded claims, and rejects tokens whose claims do not fit with 403", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "https://notes.example.com/mcp" })
      const logs = captured()
      const { dispose, protect } = makeFetchMiddleware(settingsOf(issuer), { claims: Staff, logger: logs.logger })
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const handle = protect((_request, identity) => {
        // Typed: a number, and never `undefined` by mistake.
        const level: number | undefined = identity.claims.level
        return Response.json({ department: identity.claims.department, ...(level === undefined ? {} : { level }) })
      })
      // Twice: a cached verdict has the same result.
      for (const { claims, status, ...row } of [...rows, ...rows]) {
        const token = `Bearer ${yield* issuer.sign({ claims })}`
        for (let i = 0; i < 2; i++) {
          const response = yield* Effect.promise(() => handle(request(token)))
          assert.strictEqual(response.status, status, JSON.stringify(claims))
          if ("body" in row) assert.deepStrictEqual(yield* Effect.promise(() => response.json()), row.body)
          else assert.include(response.headers.get("www-authenticate") ?? "", "access_denied")
          if ("logged" in row) assert.include(logs.text(), row.logged)
        }
      }
      assert.notInclude(logs.text(), "hush-hush")
      // Without a token, and with a wrong one, it is 401 as ever.
      assert.strictEqual((yield* Effect.promise(() => handle(request("Bearer junk")))).status, 401)
    }))

  it.live("EMBED-37 gives Effect handlers the claims as a service, and cannot be left out", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "https://notes.example.com/mcp" })
      const origin = yield* serveRoutes(
        HttpRouter.add(
          "*",
          "/mcp",
          Effect.gen(function*() {
            const { department } = yield* StaffClaims
            const { subject } = yield* CurrentIdentity
            return HttpServerResponse.text(`${subject} of ${department}`)
          })
        ).pipe(
          Layer.provide(Authentication.layerWith({ claims: StaffClaims })),
          Layer.provide(layerVerifier),
          Layer.provide(GatewayConfig.layer(settingsOf(issuer)))
        )
      )
      const send = (claims: Readonly<Record<string, unknown>>) =>
        Effect.gen(function*() {
          const authorization = `Bearer ${yield* issuer.sign({ claims })}`
          return yield* Effect.promise(() => fetch(`${origin}/mcp`, { headers: { authorization } }))
        })
      const good = yield* send({ department: "sales" })
      assert.strictEqual(yield* Effect.promise(() => good.text()), "user-1 of sales")
      assert.strictEqual((yield* send({})).status, 403)

      const route = HttpRouter.add("GET", "/x", Effect.as(StaffClaims, HttpServerResponse.empty()))
      const complete: Layer.Layer<
        never,
        InvalidConfiguration | UnusablePublicKey,
        HttpRouter.HttpRouter | HttpRouter.Request.From<"Requires", never> | GatewayConfig
      > = route
        .pipe(
          Layer.provide(Authentication.layerWith({ claims: StaffClaims })),
          Layer.provide(layerVerifier)
        )
      assert.isTrue(Layer.isLayer(complete))
      // @ts-expect-error no layer provides the claims
      const without: typeof complete = route.pipe(Layer.provide(Authentication.layer), Layer.provide(layerVerifier))
      // @ts-expect-error other claims are provided
      const other: typeof complete = route.pipe(
        Layer.provide(Authentication.layerWith({ claims: OtherClaims })),
        Layer.provide(layerVerifier)
      )
      assert.isTrue(Layer.isLayer(without) && Layer.isLayer(other))
    }))

  it("EMBED-38 the claims have the type of the Schema, in every middleware", () => {
    const settings: GatewayConfigInput = { static_tokens: "dev-token:c:s:", path: "/mcp" }
    const fetching = makeFetchMiddleware(settings, { claims: Staff })
    // @ts-expect-error a claim that is not declared
    fetching.protect((_request, { claims }) => new Response(claims.tenant))
    // @ts-expect-error a number is no text
    fetching.protect((_request, { claims }) => new Response(claims.level))
    const node = makeNodeMiddleware(settings, { claims: Staff })
    // @ts-expect-error a claim that is not declared
    assert.throws(() => node.callerOf({}).identity.claims.tenant)
    const plain = makeFetchMiddleware(settings)
    // As before, where nothing is declared.
    plain.protect((_request, identity: Identity) => new Response(String(identity.claims["tenant"])))
    const Noted = Toolkit.make(requireToolScopes(Tool.make("remove", { dependencies: [StaffClaims] }), ["notes:write"]))
    assert.isTrue(Layer.isLayer(Authentication.layerWith({ claims: StaffClaims, toolkits: [Noted] })))
  })

  it.effect("EMBED-39 a verifier that requires claims fails with AccessDenied, also where the verdict is cached", () =>
    Effect.gen(function*() {
      const { peek, verify } = yield* Effect.provide(
        TokenVerifier,
        TokenVerifier.layerClaims(Staff).pipe(Layer.provide(Layer.succeed(TokenVerifier, {
          verify: (token) => Effect.succeed(found(Redacted.value(token))),
          peek: found
        })))
      )
      assert.deepStrictEqual((yield* verify(BearerToken.make("good"))).claims, { department: "sales" })
      const error = yield* Effect.flip(verify(BearerToken.make("bad")))
      assert.deepInclude(error, { _tag: "AccessDenied", reason: "Claims" })
      assert.isDefined(peek?.("good"))
      assert.isUndefined(peek?.("bad"))
    }))

  it.live("EMBED-40 the SDK's verifier says insufficient_scope, which is its only 403", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "https://notes.example.com/mcp" })
      class OAuthError extends Error {
        readonly code: string
        constructor(code: string, description: string) {
          super(description)
          this.code = code
        }
      }
      const logs = captured()
      const { dispose, verifyAccessToken } = makeOAuthTokenVerifier(settingsOf(issuer), { OAuthError }, {
        claims: Staff,
        logger: logs.logger
      })
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const good = yield* issuer.sign({ claims: { department: "sales" } })
      assert.strictEqual((yield* Effect.promise(() => verifyAccessToken(good))).extra.subject, "user-1")
      const bad = yield* issuer.sign()
      const error: unknown = yield* Effect.promise(() => verifyAccessToken(bad).then(() => undefined, (error) => error))
      assert.deepInclude(error, { code: "insufficient_scope" })
    }))
})
