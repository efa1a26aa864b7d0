/** The metadata of the authorization server, for clients that look for them at the gateway. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { ProviderInput } from "../../config/GatewayConfigInput.ts"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, anyVerdict } from "./caller.ts"
import { get } from "./clientRequest.ts"
import { readDocument } from "./discovery.ts"
import { publishedMetadata } from "./fixture.ts"
import { assertOwnError } from "./ownError.ts"
import { runApp } from "./RunningApp.ts"
import { providers, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream } from "./upstream.ts"

const name = oneOf(["oauth-authorization-server", "openid-configuration"])

/** Settings with one provider of the named kinds, perhaps after static tokens, which have no authorization server. */
const withOne = (...kinds: ReadonlyArray<keyof typeof providers>) => {
  const named = kinds.map((kind): ProviderInput => providers[kind])
  return {
    settings: settingsWith({
      providers: oneOf([
        ...named.map((provider) => [provider]),
        ...named.map((provider) => [providers.static, provider])
      ])
    }),
    caller: anyCaller,
    verdict: anyVerdict,
    upstream: anyUpstream,
    name,
    suffix: oneOf(["", "{mcp}"])
  }
}

// MCP 2025-11-25, authorization, Communication Security: https, except on this machine.
const safeUrl = /^(?:https:\/\/[^/?#@]+|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?)(?:\/[^?#]*)?$/

const isEmpty = (value: unknown): boolean =>
  value === null || value === "" || (Array.isArray(value) && value.length === 0)

export const authorizationServer: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-30",
      title: "MUST describe a configured authorization server completely, with its issuer unchanged",
      source: "RFC 8414, sections 2 and 3.2; MCP 2025-11-25, authorization, Authorization Code Protection"
    },
    withOne("authkit", "configured", "loopback"),
    Effect.fnUntraced(function*({ name, suffix, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const document = readDocument(yield* app.send(get(`/.well-known/${name}${suffix}`)))
      const provider = app.settings.providers.find(({ type }) => type !== "static")
      assert.strictEqual(document["issuer"], provider !== undefined && "issuer" in provider ? provider.issuer : "")
      const { authorization_endpoint, token_endpoint } = document
      for (const url of [authorization_endpoint, token_endpoint]) assert.isString(url)
      for (const [member, value] of Object.entries(document)) {
        assert.isFalse(isEmpty(value), `${member} says nothing`)
        if (/_endpoint$|_uri$|^issuer$/.test(member)) assert.match(String(value), safeUrl, member)
      }
      assert.deepInclude(document, { response_types_supported: ["code"], code_challenge_methods_supported: ["S256"] })
      assert.deepInclude(document["grant_types_supported"], "authorization_code")
      // OpenID Connect Discovery 1.0, section 3.
      if (name === "openid-configuration") {
        assert.containsAllKeys(document, ["subject_types_supported", "id_token_signing_alg_values_supported"])
      }
    })
  ),

  requirement(
    {
      id: "APP-31",
      title:
        "MUST serve the provider's own metadata, adding PKCE where it is missing, and respond 500 with Retry-After while they are unavailable",
      source: "RFC 8414, section 3.2; RFC 9110, section 10.2.3"
    },
    { ...withOne("discovered"), providersDown: oneOf([true, false]) },
    Effect.fnUntraced(function*({ name, suffix, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const response = yield* app.send(get(`/.well-known/${name}${suffix}`))
      if (circumstances.providersDown) {
        assertOwnError(app, response, { status: 500, error: "server_error", elsewhere: true })
        assert.match(response.headers.get("retry-after") ?? "", /^[1-9][0-9]*$/)
      } else {
        assert.deepStrictEqual(readDocument(response), {
          ...publishedMetadata(providers.discovered.issuer),
          // MCP 2025-11-25, authorization, Authorization Code Protection: clients reject a server that names no method.
          code_challenge_methods_supported: ["S256"]
        })
      }
    })
  ),

  requirement(
    {
      id: "APP-32",
      title: "MUST redirect clients to the issuer's own metadata where the gateway cannot know them",
      source: "RFC 8414, section 3.1; OpenID Connect Discovery 1.0, section 4; RFC 9110, section 15.4.9"
    },
    withOne("userinfo", "introspection"),
    Effect.fnUntraced(function*({ name, suffix, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const { headers, status } = yield* app.send(get(`/.well-known/${name}${suffix}`))
      assert.strictEqual(status, 308)
      const people = name === "openid-configuration"
        ? `https://people.example/accounts/.well-known/${name}`
        : `https://people.example/.well-known/${name}/accounts`
      assert.include([people, `https://opaque.example/.well-known/${name}`], headers.get("location"))
    })
  ),

  requirement(
    {
      id: "APP-33",
      title: "MUST respond 404 not_supported where there is no authorization server",
      source: "RFC 8414, section 3.2"
    },
    {
      settings: Arbitrary.map(
        Arbitrary.all([
          settingsWith({ providers: Arbitrary.Constant([providers.static]) }),
          oneOf([true, false])
        ]),
        ([{ providers, ...settings }, enabled]) =>
          enabled ? { ...settings, providers } : { ...settings, auth_enabled: false }
      ),
      caller: anyCaller,
      verdict: anyVerdict,
      upstream: anyUpstream,
      name,
      suffix: oneOf(["", "{mcp}"])
    },
    Effect.fnUntraced(function*({ name, suffix, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const response = yield* app.send(get(`/.well-known/${name}${suffix}`))
      assertOwnError(app, response, { status: 404, error: "not_supported", elsewhere: true })
    })
  )
]
