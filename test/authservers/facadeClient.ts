/** The client as which a gateway's facade signs people in at a real provider. */

export const client = { id: "mcp-facade", secret: "the-secret-of-the-facade" }

/** The settings of a facade that uses the client. */
export const facadeFor = (redirectUris: ReadonlyArray<string>) => ({
  client_id: client.id,
  client_secret: client.secret,
  redirect_uris: redirectUris
})
