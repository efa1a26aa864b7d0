/** The facade's client at Hydra, and Hydra as a provider. */
import { client } from "./facadeClient.ts"
import type { Hydra, Strategy } from "./Hydra.ts"

/** Of the tokens of Hydra: one for all gateways, which are in front of the same MCP server. */
export const hydraAudience = "https://notes.example/mcp"

/** Registers the client at Hydra. */
export const registerAtHydra = ({ createClient }: Pick<Hydra, "createClient">, callback: string) =>
  createClient({
    client_id: client.id,
    client_secret: client.secret,
    redirect_uris: [callback],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    audience: [hydraAudience],
    scope: "openid offline_access notes:read",
    token_endpoint_auth_method: "client_secret_basic"
  })

/** The settings of Hydra as a provider. */
export const hydraProvider = ({ introspectionEndpoint, issuer }: Hydra, strategy: Strategy) => ({
  preset: "ory",
  issuer,
  audience: [hydraAudience],
  ...(strategy === "jwt" ? {} : {
    type: "introspection",
    introspection_endpoint: introspectionEndpoint,
    // The network alone guards the admin API of a Hydra of one's own.
    client_auth: "none"
  })
})
