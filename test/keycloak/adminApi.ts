/** Keycloak's admin API, as far as the suite needs it. */
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { inject } from "vitest"

/** A JSON object in requests to Keycloak and its responses. */
export type Json = Readonly<Record<string, unknown>>

const { adminId, adminSecret, origin } = inject("keycloak")

/** The issuer of the realm that every Keycloak has. */
export const masterIssuer = `${origin}/realms/master`

const tokenOf = async (): Promise<string> => {
  const response = await fetch(`${masterIssuer}/protocol/openid-connect/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "client_credentials", client_id: adminId, client_secret: adminSecret })
  })
  const { access_token: token }: Json = await response.json()
  return String(token)
}

/** An access token of that realm. */
export const masterToken: Effect.Effect<string> = Effect.promise(tokenOf)

const call = async (method: string, path: string, body?: Json): Promise<unknown> => {
  const response = await fetch(`${origin}/admin/realms${path}`, {
    method,
    headers: { authorization: `Bearer ${await tokenOf()}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return text === "" ? undefined : JSON.parse(text)
}

/** Every object of a list. */
export const list = (path: string): Effect.Effect<ReadonlyArray<Json>> =>
  // Each list of this API is one of objects.
  Effect.promise(async () => await call("GET", path) as ReadonlyArray<Json>)

export const post = (path: string, body: Json = {}): Effect.Effect<unknown> =>
  Effect.promise(() => call("POST", path, body))

export const put = (path: string, body: Json = {}): Effect.Effect<unknown> =>
  Effect.promise(() => call("PUT", path, body))

export const remove = (path: string): Effect.Effect<unknown> => Effect.promise(() => call("DELETE", path))

/** Adds a key to a realm, which signs from now on. */
export const addKey = Effect.fnUntraced(function*(realm: string, providerId: string, config: Json) {
  const [settings] = yield* list("").pipe(
    Effect.map((realms) => realms.filter(({ realm: name }) => `/${name}` === realm))
  )
  yield* post(`${realm}/components`, {
    name: `key-${randomUUID().slice(0, 8)}`,
    providerId,
    providerType: "org.keycloak.keys.KeyProvider",
    parentId: settings?.["id"],
    config: { active: ["true"], enabled: ["true"], priority: ["1000"], ...config }
  })
})
