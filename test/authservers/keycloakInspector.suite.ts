import { user } from "../keycloak/Realm.ts"
import { testInspector } from "../sign-in/inspector.ts"
import { keycloakSites } from "./keycloakSites.ts"

const name = "Keycloak behind the facade"

testInspector([{ name, start: keycloakSites[name], locale: "en-US", consent: "Allow access?", user }])
