import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { addKey, list, remove } from "./adminApi.ts"
import { assertRejectedAs } from "./assertRejectedAs.ts"
import { jwtSettings, reserve, startGateway } from "./gateways.ts"
import { clients, headerOf, makeRealm } from "./Realm.ts"

const keyProviders = (path: string) => list(`${path}/components?type=org.keycloak.keys.KeyProvider`)

describe("keys of Keycloak", () => {
  it.live("that are new are believed at once, and the old ones for as long as they are published", () =>
    Effect.gen(function*() {
      const place = yield* reserve
      const realm = yield* makeRealm([place.resource])
      const { ask, program } = yield* startGateway(place, jwtSettings(realm.issuer))
      const before = yield* realm.logIn(clients.app)
      assert.strictEqual((yield* ask(before.accessToken)).status, 200)

      yield* addKey(realm.path, "rsa-generated", { algorithm: ["RS256"], keySize: ["2048"] })
      const after = yield* realm.logIn(clients.app)
      assert.notStrictEqual(headerOf(after.accessToken)["kid"], headerOf(before.accessToken)["kid"])
      assert.strictEqual((yield* ask(after.accessToken)).status, 200)
      assert.strictEqual((yield* ask(before.accessToken)).status, 200)
      const again = yield* realm.logIn(clients.app)
      assert.strictEqual((yield* ask(again.accessToken)).status, 200)
      assert.deepStrictEqual(program.log().filter(({ level }) => level === "ERROR"), [])
    }).pipe(Effect.scoped))

  it.live("that are withdrawn are not believed by who fetches the others", () =>
    Effect.gen(function*() {
      const place = yield* reserve
      const realm = yield* makeRealm([place.resource])
      const before = yield* realm.logIn(clients.app)
      const old = (yield* keyProviders(realm.path)).filter(({ providerId }) => providerId === "rsa-generated")
      yield* addKey(realm.path, "rsa-generated", { algorithm: ["RS256"], keySize: ["2048"] })
      for (const { id } of old) yield* remove(`${realm.path}/components/${String(id)}`)
      const after = yield* realm.logIn(clients.app)

      const { ask } = yield* startGateway(place, jwtSettings(realm.issuer))
      assert.strictEqual((yield* ask(after.accessToken)).status, 200)
      const outcome = yield* ask(before.accessToken)
      assertRejectedAs(outcome, "Unknown signing key")
      assert.include(JSON.stringify(outcome.log), String(headerOf(before.accessToken)["kid"]))
    }).pipe(Effect.scoped))

  it.live("on an elliptic curve are believed where ES256 is allowed, and there alone", () =>
    Effect.gen(function*() {
      const places = [yield* reserve, yield* reserve] as const
      const realm = yield* makeRealm(places.map(({ resource }) => resource), {
        realm: { defaultSignatureAlgorithm: "ES256" }
      })
      const { accessToken } = yield* realm.logIn(clients.app)
      assert.strictEqual(headerOf(accessToken)["alg"], "ES256")

      const elliptic = yield* startGateway(places[0], { ...jwtSettings(realm.issuer), MCP_JWT_ALGORITHM: "ES256" })
      const { forwarded, status } = yield* elliptic.ask(accessToken)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(forwarded("x-auth-user-id"), [realm.alice])

      const usual = yield* startGateway(places[1], jwtSettings(realm.issuer))
      const outcome = yield* usual.ask(accessToken)
      assertRejectedAs(outcome, "Unsupported algorithm")
      const written = JSON.stringify(outcome.log)
      assert.include(written, "ES256")
      assert.include(written, "RS256")
    }).pipe(Effect.scoped))
})
