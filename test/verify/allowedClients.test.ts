import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { InvalidTokenReason } from "../../src/errors/GatewayError.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { providerOf } from "../config/resolving.ts"
import { introspectionProvider, jwtProvider } from "../fixtures/providers.ts"
import { assertAccepted, assertRejected, start, verifierOf, withProviders } from "./support.ts"

type Claims = Readonly<Record<string, unknown>>
type Case = readonly [claims: Claims, reason: InvalidTokenReason | undefined]

const cognito = { aud: undefined, token_use: "access", scope: "mcp/read" }

const setUp = Effect.gen(function*() {
  yield* TestClock.setTime(start * 1000)
  return yield* TestIssuer.make()
})

/** Checked in the same way as a JWT and as an introspection response. */
const makeVerifier = Effect.fnUntraced(function*(
  rules: { readonly audience: ReadonlyArray<string>; readonly allowedClients?: ReadonlyArray<string> },
  cases: ReadonlyArray<Case>
) {
  const issuer = yield* setUp
  const verify = yield* verifierOf(jwtProvider(issuer, rules))
  const asking = yield* verifierOf(introspectionProvider(issuer, rules))
  for (const [claims, reason] of cases) {
    const token = yield* issuer.sign({ claims })
    const response = { client_id: undefined, scope: undefined, token_type: undefined, ...claims }
    const opaque = yield* issuer.issueOpaque({ claims: response })
    yield* reason === undefined ? assertAccepted(verify, token) : assertRejected(verify, token, reason)
    yield* reason === undefined ? assertAccepted(asking, opaque) : assertRejected(asking, opaque, reason)
  }
  return { issuer, verify }
})

describe("allowed clients", () => {
  it.effect("have their tokens accepted; tokens of other clients, or of none, are rejected", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* makeVerifier({ audience: [], allowedClients: ["desktop", "cli"] }, [
        [{ client_id: "desktop" }, undefined],
        [{ azp: "cli" }, undefined],
        [{ appid: "cli" }, undefined],
        [{ cid: "cli" }, undefined],
        [{ client_id: "desktop", azp: "cli" }, undefined],
        [{ ...cognito, client_id: "desktop" }, undefined],
        [{ client_id: "desktop", azp: null }, undefined],
        [{ client_id: "other" }, "InvalidAudience"],
        [{ client_id: "DESKTOP" }, "InvalidAudience"],
        [{ client_id: "desktop,cli" }, "InvalidAudience"],
        [{ client_id: "desktop", azp: "other" }, "InvalidAudience"],
        [{ client_id: "other", azp: "desktop" }, "InvalidAudience"],
        [{ client_id: ["desktop"] }, "InvalidAudience"],
        [{ client_id: 7, azp: "desktop" }, "InvalidAudience"],
        [{}, "MissingClaim"],
        [{ client_id: "" }, "MissingClaim"]
      ])
      const { detail } = yield* Effect.flip(verify(yield* issuer.sign({ claims: { azp: "oth\ner" } })))
      assert.include(detail, "azp is \"oth\\u{a}er\"; MCP_ALLOWED_CLIENTS has \"desktop\", \"cli\"")
    })))

  it.effect("replace aud only in a token without one, or with an empty list as Hydra writes it", () =>
    withProviders(makeVerifier({ audience: ["https://mcp.example/mcp"], allowedClients: ["desktop"] }, [
      [{ client_id: "desktop" }, undefined],
      [{ client_id: "desktop", aud: undefined }, undefined],
      [{ client_id: "desktop", aud: null }, undefined],
      [{ client_id: "desktop", aud: "https://other.example" }, "InvalidAudience"],
      [{ client_id: "desktop", aud: [] }, undefined],
      [{ client_id: "other", aud: [] }, "InvalidAudience"],
      [{ client_id: "desktop", aud: [""] }, "InvalidAudience"],
      [{ client_id: "other" }, "InvalidAudience"],
      [{ client_id: "other", aud: undefined }, "MissingClaim"],
      [{ aud: undefined }, "MissingClaim"]
    ])))

  it.effect("may be listed as the audience for access tokens that never have an aud, as Cognito's", () =>
    withProviders(Effect.gen(function*() {
      const { issuer, verify } = yield* makeVerifier({ audience: ["client-abc", "https://mcp.example/mcp"] }, [
        [{ ...cognito, client_id: "client-abc" }, undefined],
        [{ ...cognito, client_id: "another-client" }, "MissingClaim"],
        [{ ...cognito, client_id: "client-abc", azp: "another-client" }, "MissingClaim"],
        [{ ...cognito }, "MissingClaim"],
        // It does not say that it is an access token.
        [{ aud: undefined, client_id: "client-abc", scope: "a" }, "MissingClaim"],
        [{ ...cognito, token_use: "id", client_id: "client-abc" }, "ValidationFailed"],
        // Such an id can be of the client's own choice.
        [{ ...cognito, client_id: "https://mcp.example/mcp" }, "MissingClaim"],
        [{ ...cognito, aud: "elsewhere", client_id: "client-abc" }, "InvalidAudience"]
      ])
      const { detail } = yield* Effect.flip(
        verify(yield* issuer.sign({ claims: { ...cognito, client_id: "another-client" } }))
      )
      assert.include(detail, "the client is \"another-client\": MCP_ALLOWED_CLIENTS can take the place of aud")
    })))

  it("are a setting of providers whose tokens name clients", () => {
    const jwt = { MCP_PROVIDER_TYPE: "oidc", MCP_JWT_ISSUER: "https://issuer.example" }
    assert.deepInclude<unknown>(providerOf({ ...jwt, MCP_ALLOWED_CLIENTS: "a, b,a" }), { allowedClients: ["a", "b"] })
    assert.deepInclude<unknown>(providerOf(jwt), { allowedClients: [], requireVerifiedEmail: false })
    assert.deepInclude<unknown>(providerOf({ ...jwt, MCP_REQUIRE_VERIFIED_EMAIL: "true" }), {
      requireVerifiedEmail: true
    })
  })
})
