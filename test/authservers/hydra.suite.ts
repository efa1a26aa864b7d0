/** Ory Hydra with the preset `ory`: opaque tokens and JWTs, clients that register there, and the facade. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { allow } from "../facade/consenting.ts"
import { reserve, type RestartableGateway, startRestartable } from "../support/RestartableGateway.ts"
import { Visitor } from "../support/Visitor.ts"
import { client, facadeFor } from "./facadeClient.ts"
import { type Hydra, hydraUser, startHydra, type Strategy } from "./Hydra.ts"
import { hydraAudience, hydraProvider, registerAtHydra } from "./hydraClient.ts"

const strategies: ReadonlyArray<Strategy> = ["jwt", "opaque"]

const redirectUri = "http://127.0.0.1:33418/callback"

interface Peer {
  readonly hydra: Hydra
  readonly audience: string
  /** Clients register at Hydra. */
  readonly direct: RestartableGateway
  readonly facade: RestartableGateway
}

const startPeer = Effect.fnUntraced(function*(strategy: Strategy) {
  const places = [yield* reserve, yield* reserve] as const
  const audience = hydraAudience
  const hydra = yield* startHydra({ strategy, audience })
  yield* registerAtHydra(hydra, places[1].callback)
  const provider = hydraProvider(hydra, strategy)
  const scopes = { MCP_REQUIRED_SCOPES: "notes:read" }
  const direct = yield* startRestartable(places[0], provider, scopes)
  const facade = yield* startRestartable(places[1], {
    ...provider,
    facade: facadeFor(["http://127.0.0.1/callback"])
  }, scopes)
  return { hydra, audience, direct, facade }
})

class Peers extends Context.Service<Peers, Readonly<Record<Strategy, Peer>>>()(
  "mcp-authorizer/test/authservers/hydra/Peers"
) {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      return { jwt: yield* startPeer("jwt"), opaque: yield* startPeer("opaque") }
    })
  )
}

layer(Peers.layer, { excludeTestServices: true, timeout: 300_000 })("Ory Hydra", (it) => {
  for (const strategy of strategies) {
    it.effect(`registers a client and signs it in, with access tokens of the strategy ${strategy}`, () =>
      Effect.gen(function*() {
        const { [strategy]: { audience, direct, hydra } } = yield* Peers
        const visitor = new Visitor(direct.resource, { redirectUri })
        yield* visitor.discover
        assert.strictEqual(visitor.issuer, hydra.issuer)
        assert.strictEqual(visitor.scope, "notes:read")
        const { body, status } = yield* visitor.register({ scope: "notes:read offline_access", audience: [audience] })
        assert.strictEqual(status, 201, JSON.stringify(body))
        const code = yield* visitor.authorize(() => undefined, { changes: { scope: "notes:read offline_access" } })
        const tokens = yield* visitor.exchange(code)
        assert.strictEqual(tokens.access.split(".").length, strategy === "jwt" ? 3 : 2)
        assert.strictEqual((yield* visitor.call(tokens.access)).status, 200)
        const seen = direct.upstream.requests().at(-1)
        assert.deepStrictEqual(seen?.headers("x-auth-user-id"), [hydraUser])
        assert.deepStrictEqual(seen?.headers("x-auth-client-id"), [visitor.clientId])
        yield* direct.restart
        const refreshed = yield* visitor.refresh(tokens.refresh)
        assert.strictEqual((yield* visitor.call(refreshed.access)).status, 200)
        // Neither the refresh token, nor a token with one wrong character.
        assert.strictEqual((yield* visitor.call(refreshed.refresh)).status, 401)
        assert.strictEqual((yield* visitor.call(`${refreshed.access.slice(0, -4)}AAAA`)).status, 401)
      }))

    it.effect(`does not accept a token without audience, of the strategy ${strategy}: a client has to register its own`, () =>
      Effect.gen(function*() {
        const { [strategy]: { direct } } = yield* Peers
        const visitor = new Visitor(direct.resource, { redirectUri })
        yield* visitor.discover
        yield* visitor.register({ scope: "notes:read" })
        const tokens = yield* visitor.exchange(yield* visitor.authorize(() => undefined))
        assert.strictEqual((yield* visitor.call(tokens.access)).status, 401)
        yield* direct.awaitLog(/"reason":"(?:MissingClaim|InvalidAudience)","detail":"aud is/)
      }))

    it.effect(`signs a client in through the facade, with access tokens of the strategy ${strategy}`, () =>
      Effect.gen(function*() {
        const { [strategy]: { facade: { log, origin, resource, restart, upstream }, hydra } } = yield* Peers
        const visitor = new Visitor(resource, { redirectUri })
        yield* visitor.discover
        assert.strictEqual(visitor.issuer, origin)
        yield* restart
        yield* visitor.register()
        assert.strictEqual(visitor.clientId, client.id)
        const seen = hydra.requests.length
        const before = (url: string) => url.startsWith(origin) ? restart : Effect.void
        const code = yield* visitor.authorize(allow, { before })
        const asked = hydra.requests[seen]
        assert.sameMembers(asked?.get("scope")?.split(" ") ?? [], ["notes:read", "offline_access"])
        assert.isFalse(asked?.has("resource"))
        yield* restart
        const tokens = yield* visitor.exchange(code)
        yield* restart
        assert.strictEqual((yield* visitor.call(tokens.access)).status, 200)
        assert.deepStrictEqual(upstream.requests().at(-1)?.headers("x-auth-user-id"), [hydraUser])
        const refreshed = yield* visitor.refresh(tokens.refresh)
        assert.strictEqual((yield* visitor.call(refreshed.access)).status, 200)

        // Hydra revokes the access tokens of the sign-in as well; a JWT is good until it expires.
        assert.strictEqual((yield* visitor.revoke(refreshed.refresh ?? "")).status, 200)
        const ended = yield* visitor.token({ grant_type: "refresh_token", refresh_token: refreshed.refresh ?? "" })
        assert.deepStrictEqual([ended.status, ended.body["error"]], [400, "invalid_grant"])
        // A gateway that has verified the token before takes its word for a while.
        yield* restart
        assert.strictEqual((yield* visitor.call(refreshed.access)).status, strategy === "jwt" ? 200 : 401)
        for (const secret of [client.secret, code, tokens.access, refreshed.access, refreshed.refresh ?? ""]) {
          assert.notInclude(log(), secret)
        }
      }))
  }

  it.effect("names the key in the log for which Hydra has signed with another one: in tokens that it refreshes after a new key", () =>
    Effect.gen(function*() {
      const { jwt: { audience, direct, hydra } } = yield* Peers
      const visitor = new Visitor(direct.resource, { redirectUri })
      const scope = "notes:read offline_access"
      yield* visitor.discover
      yield* visitor.register({ scope, audience: [audience] })
      const signIn = Effect.flatMap(visitor.authorize(() => undefined, { changes: { scope } }), visitor.exchange)
      const tokens = yield* signIn
      yield* hydra.addKey
      yield* direct.restart
      const { access } = yield* visitor.refresh(tokens.refresh)
      assert.strictEqual((yield* visitor.call(access)).status, 401)
      yield* direct.awaitLog(
        /"detail":"the signature does not verify with the key \\"[^"\\]+\\", which the token names"/
      )
      // The old access token is as good as before, and so are those of the next sign-in.
      assert.strictEqual((yield* visitor.call(tokens.access)).status, 200)
      const next = yield* signIn
      assert.strictEqual((yield* visitor.call(next.access)).status, 200)
      assert.strictEqual((yield* visitor.call((yield* visitor.refresh(next.refresh)).access)).status, 200)
    }))
})
