/** Clients whose id is the URL of a document, from the metadata to the consent of their user. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { request } from "undici"
import { startGateway } from "../support/gateway.ts"
import { startTlsServer } from "../support/tlsServer.ts"
import { Browser, post, SignIn } from "./Browser.ts"
import { startFacade } from "./facadeFixture.ts"

const redirect = "http://127.0.0.1:7777/callback"

const document = (clientId: string, members: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({
    client_id: clientId,
    client_name: "Notes <b>client</b>",
    redirect_uris: ["http://127.0.0.1/callback"],
    ...members
  })

const start = Effect.fnUntraced(
  function*(hosts: ReadonlyArray<string>, facade: Readonly<Record<string, unknown>> = {}) {
    const server = yield* startTlsServer((incoming, response) => {
      const url = `https://${incoming.headers.host}${incoming.url}`
      response.writeHead(200, { "content-type": "application/json" }).end(document(url))
    })
    const fixture = yield* startFacade("entra", "http://127.0.0.1:9/mcp", {
      facade: { ...(hosts.length === 0 ? {} : { client_metadata_hosts: hosts }), ...facade },
      gateway: { ca_file: server.caFile }
    })
    yield* fixture.start
    const clientId = `https://localhost:${server.port}/client.json`
    const get = (target: string) =>
      Effect.promise(async () => {
        const response = await request(`${fixture.origin}${target}`)
        return { status: response.statusCode, headers: response.headers, text: await response.body.text() }
      })
    return {
      server,
      clientId,
      fixture,
      metadata: Effect.map(get("/.well-known/oauth-authorization-server"), ({ text }) => JSON.parse(text)),
      authorize: (parameters: Readonly<Record<string, string>> = {}) =>
        get(`/authorize?${new URLSearchParams({
          response_type: "code",
          client_id: clientId,
          redirect_uri: redirect,
          code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
          code_challenge_method: "S256",
          state: "s",
          ...parameters
        })}`)
    }
  }
)

describe("a client id that is the URL of a document", () => {
  it.live("is announced, and leads to the consent of the user, with the address of the client", () =>
    Effect.gen(function*() {
      const { authorize, metadata, server } = yield* start(["localhost"])
      assert.isTrue((yield* metadata).client_id_metadata_document_supported)
      const { status, text } = yield* authorize()
      assert.strictEqual(status, 200)
      assert.include(text, `localhost:${server.port}`)
      assert.include(text, "Notes &lt;b&gt;client&lt;/b&gt;")
      assert.notInclude(text, "<b>client")
      yield* authorize()
      assert.strictEqual(server.requests.length, 1)
    }))

  it.live("cannot send its user to what its document does not name", () =>
    Effect.gen(function*() {
      const { authorize } = yield* start(["localhost"])
      for (
        const redirect_uri of ["http://127.0.0.1:7777/other", "https://client.example/callback", "javascript:alert(1)"]
      ) {
        const { headers, status } = yield* authorize({ redirect_uri })
        assert.strictEqual(status, 400, redirect_uri)
        assert.isUndefined(headers["location"])
      }
    }))

  it.live("is unknown where its host has a private address, and nothing is sent there", () =>
    Effect.gen(function*() {
      const { authorize, clientId, server } = yield* start([])
      for (
        const client_id of [clientId, clientId.replace("localhost", "127.0.0.1"), "https://169.254.169.254/latest/"]
      ) {
        const { headers, status, text } = yield* authorize({ client_id })
        assert.isAtLeast(status, 400, client_id)
        assert.isBelow(status, 500, client_id)
        assert.isUndefined(headers["location"])
        // Clients must not learn what is at an address of this network.
        assert.notMatch(text, /address|169\.254|refused/i)
      }
      assert.deepStrictEqual(server.connections, [])
    }))

  it.live("is unknown if its document is for another client, or for one with a secret", () =>
    Effect.gen(function*() {
      const { authorize, clientId, server } = yield* start(["localhost"])
      for (
        const text of [
          document("https://other.example/client.json"),
          document(clientId, { client_secret: "s" }),
          "{",
          ""
        ]
      ) {
        yield* server.handleWith((_, response) => {
          response.writeHead(200, { "content-type": "application/json" }).end(text)
        })
        assert.strictEqual((yield* authorize()).status, 400, text)
      }
    }))

  it.live("can do nothing more with its tokens once documents are switched off", () =>
    Effect.gen(function*() {
      const { clientId, fixture } = yield* start(["localhost"])
      const client = new SignIn(fixture.origin, clientId)
      const code = (yield* client.callback(new Browser())).get("code") ?? ""
      const { body } = yield* post(`${fixture.origin}/token`, client.form(code))
      const refresh = {
        grant_type: "refresh_token",
        client_id: clientId,
        refresh_token: body["refresh_token"] ?? ""
      }
      const [provider] = fixture.settings.providers
      if (provider?.facade === undefined) return assert.fail("no facade")
      const without = { ...provider, facade: { ...provider.facade, clientMetadata: false } }
      const { origin } = yield* startGateway({ ...fixture.settings, port: 0, providers: [without] })
      const seen = fixture.provider.tokenRequests.length
      assert.strictEqual((yield* post(`${origin}/token`, refresh)).body["error"], "invalid_grant")
      assert.lengthOf(fixture.provider.tokenRequests, seen)
      // Control: with documents, the same refresh token is good.
      assert.strictEqual((yield* post(`${fixture.origin}/token`, refresh)).status, 200)
    }))

  it.live("is unknown where documents are switched off", () =>
    Effect.gen(function*() {
      const { authorize, metadata, server } = yield* start(["localhost"], { client_metadata: false })
      assert.isFalse((yield* metadata).client_id_metadata_document_supported)
      assert.strictEqual((yield* authorize()).status, 400)
      assert.deepStrictEqual(server.requests, [])
    }))
})
