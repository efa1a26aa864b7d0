/** The facade's client at Keycloak, and the person who signs in there. */
import { allow } from "../facade/consenting.ts"
import { post } from "../keycloak/adminApi.ts"
import { logIn } from "../keycloak/logIn.ts"
import type { Realm } from "../keycloak/Realm.ts"
import type { FillIn } from "../support/PageForm.ts"
import { client } from "./facadeClient.ts"

/** Registers the client at Keycloak. */
export const registerAtKeycloak = ({ path }: Pick<Realm, "path">, callbacks: ReadonlyArray<string>) =>
  post(`${path}/clients`, {
    clientId: client.id,
    secret: client.secret,
    publicClient: false,
    standardFlowEnabled: true,
    // Keycloak, too, compares character for character.
    redirectUris: callbacks,
    attributes: { "pkce.code.challenge.method": "S256" },
    defaultClientScopes: ["web-origins", "acr", "profile", "roles", "basic", "email", "mcp:read", "mcp-resource"],
    optionalClientScopes: ["mcp:write", "offline_access"]
  })

/** Consents at the gateway, and logs in at Keycloak. */
export const keycloakPerson: FillIn = (page) => allow(page) ?? logIn(page)
