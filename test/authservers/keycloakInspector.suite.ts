import { user } from "../keycloak/Realm.ts"
import { testInspector } from "../sign-in/inspector.ts"
import { keycloakSites } from "./keycloakSites.ts"

testInspector(
  Object.entries(keycloakSites).map(([name, start]) => ({
    name,
    start,
    locale: "en-US",
    consent: name.includes("facade") ? "Allow access?" : undefined,
    user
  }))
)
