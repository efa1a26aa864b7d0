import type { GivenValue, Preset, PresetMistake } from "./Preset.ts"

const place = /\/v1\/apps\/(?:agentic\/)?(P[A-Za-z0-9]+)(?:\/|$)/

const withoutProject = (given: GivenValue): ReadonlyArray<PresetMistake> => {
  const issuer = given("issuer")
  return issuer === undefined || given("audience") !== undefined || place.test(issuer) ? [] : [{
    field: "issuer",
    problem: "names no project of Descope",
    fix: "Write the Issuer of the MCP server or inbound app as the console shows it, as in " +
      "https://api.descope.com/v1/apps/agentic/P…/M…; under a domain of your own, set the audience to the project id as well"
  }]
}

/** `aud` contains the id of the project, and that of the client. */
export const descope = {
  name: "descope",
  sources: [
    "https://docs.descope.com/identity-federation/inbound-apps/authorization-server",
    "https://docs.descope.com/mcp"
  ],
  needs: [{
    fields: ["issuer"],
    fix: "Set it to the Issuer of the MCP server, as in https://api.descope.com/v1/apps/agentic/P…/M…"
  }],
  fields: { type: "oidc", client_claims: ["azp", "client_id"] },
  derive: (given) => {
    const project = place.exec(given("issuer") ?? "")?.[1]
    return project === undefined ? {} : { audience: [project] }
  },
  mistakes: withoutProject
} as const satisfies Preset
