/**
 * Each client that the page about Entra names can sign in, with the configuration from the page, at a provider like
 * Entra.
 */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { settingsOf } from "../config/resolving.ts"
import { allow } from "../facade/consenting.ts"
import { sessionKey } from "../facade/facadeFixture.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"
import { makeStandInProvider, standInClient, standInUser } from "../support/StandInProvider.ts"
import { Visitor } from "../support/Visitor.ts"
import { blocksOf, sectionOf } from "./pages.ts"

const section = sectionOf("Entra")

const file = blocksOf(section, "json").find((block) => block.includes("\"facade\"")) ?? assert.fail("no facade")

/** The clients of the page, with the redirect URIs that they register; `<port>` is any free port. */
const clients = Array.from(
  section.matchAll(/^\| (\S.*?)\s*\| (`[a-z]+:\/\/.*?)\s*\|$/gm),
  ([, name = "", uris = ""]) =>
    [name, Array.from(uris.matchAll(/`([^`]+)`/g), ([, uri = ""]) => uri.replace("<port>", "51234"))] as const
)

/** A client may register other URIs than it uses: VS Code takes another port if its own is not free. */
const inUse: Readonly<Record<string, ReadonlyArray<string>>> = {
  "VS Code": ["http://127.0.0.1:59656/"]
}

class Gateway extends Context.Service<Gateway>()("test/providers/entraClients/Gateway", {
  make: Effect.gen(function*() {
    const { providers: [provider], session_key_file: _, ...rest } = JSON.parse(file)
    const { facade: { client_secret_file: __, ...facade }, ...fields } = provider
    const port = yield* reservePort
    const origin = `http://127.0.0.1:${port}`
    const upstream = yield* makeRecordingUpstream
    const [audience] = provider.audience
    const entra = yield* makeStandInProvider("entra", `${origin}/oauth/callback`, {
      clientId: facade.client_id,
      audience: audience.replace("api://", ""),
      scopes: [`${audience}/mcp.read`]
    })
    // Only hosts, and secrets that are in files, are other than on the page.
    yield* startGateway(settingsOf({}, {
      ...rest,
      server_url: `${upstream.origin}/mcp`,
      public_url: origin,
      port,
      session_key: sessionKey,
      providers: [{
        ...fields,
        issuer: `${entra.origin}/{tenantid}/v2.0`,
        facade: { ...facade, client_secret: standInClient.secret }
      }]
    }))
    return { resource: `${origin}/mcp`, upstream }
  })
}) {
  static readonly layer = Layer.effect(Gateway, Gateway.make)
}

layer(Gateway.layer, { excludeTestServices: true })("the page about Entra", (it) => {
  it("names Claude, VS Code, the Inspector and command-line clients", () => {
    const names = clients.map(([name]) => name).join()
    for (const name of ["Claude,", "Claude Code", "VS Code", "MCP Inspector", "mcp-remote", "command-line"]) {
      assert.include(names, name)
    }
    const uris = clients.flatMap(([, all]) => all)
    assert.includeMembers(uris, [
      "https://claude.ai/api/mcp/auth_callback",
      "https://claude.com/api/mcp/auth_callback",
      "https://vscode.dev/redirect",
      "http://127.0.0.1:33418/",
      "http://localhost:6274/oauth/callback"
    ])
  })

  for (const [name, uris] of clients) {
    it.effect(`${name}: registers all of its redirect URIs, and signs in with each`, () =>
      Effect.gen(function*() {
        const { resource, upstream } = yield* Gateway
        for (const redirectUri of [...uris, ...(inUse[name] ?? [])]) {
          const visitor = new Visitor(resource, { redirectUri })
          yield* visitor.discover
          const { body, status } = yield* visitor.register({ redirect_uris: uris })
          assert.strictEqual(status, 201, JSON.stringify(body))
          const code = yield* visitor.authorize(allow)
          const { access, refresh } = yield* visitor.exchange(code)
          assert.strictEqual((yield* visitor.call(access)).status, 200, redirectUri)
          assert.deepStrictEqual(upstream.requests().at(-1)?.headers("x-auth-user-id"), [standInUser])
          const refreshed = yield* visitor.refresh(refresh)
          assert.strictEqual((yield* visitor.call(refreshed.access)).status, 200, redirectUri)
        }
      }))
  }

  it.effect("lets no client in with a redirect URI that is only like one of the page", () =>
    Effect.gen(function*() {
      const { resource } = yield* Gateway
      for (
        const redirectUri of [
          "https://claude.ai/api/mcp/auth_callback/",
          "https://claude.ai.evil.example/api/mcp/auth_callback",
          "https://vscode.dev/redirect?url=https://evil.example",
          "https://vscode.dev/redirect#x",
          "http://127.0.0.1:33418/other",
          "http://127.0.0.2:33418/",
          "http://localhost.evil.example:6274/oauth/callback",
          "https://localhost:6274/oauth/callback"
        ]
      ) {
        const visitor = new Visitor(resource, { redirectUri })
        yield* visitor.discover
        assert.strictEqual((yield* visitor.register()).body["error"], "invalid_redirect_uri", redirectUri)
        const registered = yield* visitor.register({ redirect_uris: ["https://vscode.dev/redirect"] })
        assert.strictEqual(registered.status, 201)
        const { location, status } = yield* visitor.browser.visit(visitor.authorizationUrl())
        assert.deepStrictEqual([status, location], [400, undefined], redirectUri)
      }
    }))
})
