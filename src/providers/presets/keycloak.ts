import type { GivenValue, Preset, PresetMistake } from "./Preset.ts"

const withoutRealm = (given: GivenValue): ReadonlyArray<PresetMistake> => {
  const issuer = given("issuer")
  return issuer === undefined || /\/realms\/[^/]+\/?$/.test(issuer) ? [] : [{
    field: "issuer",
    problem: "names no realm of Keycloak",
    fix: "Write https://your-host/realms/your-realm; before Keycloak 17 the path begins with /auth"
  }]
}

export const keycloak = {
  name: "keycloak",
  sources: [
    "https://www.keycloak.org/securing-apps/oidc-layers",
    "https://www.keycloak.org/docs/latest/server_admin/#audience-support"
  ],
  needs: [{ fields: ["issuer"], fix: "Set it to the URL of the realm, as in https://your-host/realms/your-realm" }],
  fields: { type: "oidc", audience: ["auto"], client_claims: ["azp", "client_id"] },
  mistakes: withoutRealm
} as const satisfies Preset
