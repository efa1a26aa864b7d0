/** What the demo prints when it is ready: the endpoints, a token, and commands to copy. */

export interface DemoFacts {
  /** The public URL of the gateway's MCP endpoint, without a trailing slash. Also the audience of the token. */
  readonly mcpUrl: string
  readonly token: string
  readonly tokenLifeSeconds: number
  /** The development identity provider. */
  readonly issuer: string
  readonly tokenEndpoint: string
  readonly client: { readonly id: string; readonly secret: string }
}

/** A command for a POSIX shell, with its title. Commands use the variables that earlier commands set. */
export interface DemoCommand {
  readonly title: string
  readonly command: string
}

const accept = "-H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream'"

const authorization = "-H \"Authorization: Bearer $TOKEN\""

// Revision 2026-07-28 has no sessions: each request describes itself in headers and `_meta`.
const stateless = (url: string, method: string, name: string | undefined, params: object): string => {
  const message = {
    jsonrpc: "2.0",
    id: 1,
    method,
    params: {
      ...params,
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
      }
    }
  }
  const mirrored = name === undefined ? "" : ` -H 'Mcp-Name: ${name}'`
  return [
    `curl -sS ${url} ${authorization} \\`,
    `  ${accept} \\`,
    `  -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: ${method}'${mirrored} \\`,
    `  -d '${JSON.stringify(message)}'`
  ].join("\n")
}

const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "curl", version: "1" } }
})

/** The commands of the banner, in an order in which all of them work. */
export const demoCommands = (facts: DemoFacts): ReadonlyArray<DemoCommand> => {
  const { client, mcpUrl, token, tokenEndpoint } = facts
  const { origin, pathname } = new URL(mcpUrl)
  return [
    { title: "Without a token: 401, and the challenge that says where to get one", command: `curl -i ${mcpUrl}` },
    {
      title: "What a client discovers from there",
      command: [
        `curl -sS ${origin}/.well-known/oauth-protected-resource${pathname}`,
        `curl -sS ${origin}/.well-known/oauth-authorization-server`
      ].join("\n")
    },
    { title: "A token for the commands below", command: `TOKEN=${token}` },
    { title: "The tools (MCP 2026-07-28, no session)", command: stateless(mcpUrl, "tools/list", undefined, {}) },
    {
      title: "Who am I, as the MCP server sees it",
      command: stateless(mcpUrl, "tools/call", "whoami", { name: "whoami", arguments: {} })
    },
    {
      title: "A call with arguments",
      command: stateless(mcpUrl, "tools/call", "add", { name: "add", arguments: { a: 2, b: 3 } })
    },
    {
      title: "The same in MCP 2025-11-25, which begins with initialize and keeps a session",
      command: [
        `SESSION=$(curl -sS -D - ${mcpUrl} ${authorization} \\`,
        `  ${accept} \\`,
        `  -d '${initialize}' | tee /dev/stderr \\`,
        `  | tr -d '\\r' | awk -F': ' 'tolower($1) == "mcp-session-id" { print $2 }')`,
        `curl -sS ${mcpUrl} ${authorization} -H "Mcp-Session-Id: $SESSION" \\`,
        `  ${accept} \\`,
        "  -d '{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}'"
      ].join("\n")
    },
    {
      title: "A fresh token from the development provider",
      command: [
        `TOKEN=$(curl -sS -u ${client.id}:${client.secret} ${tokenEndpoint} \\`,
        `  -d grant_type=client_credentials -d resource=${mcpUrl} \\`,
        "  | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"
      ].join("\n")
    }
  ]
}

const duration = (seconds: number): string =>
  seconds % 3600 === 0 ? `${seconds / 3600} h` : seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`

/**
 * Returns the whole text, without a line break at the end.
 *
 * It shows a token and a client secret on purpose: both belong to a provider that runs on this machine, only while the
 * demo runs. Print it, but do not log it.
 */
export const banner = (facts: DemoFacts): string => {
  const sections = demoCommands(facts).map(({ command, title }) => `# ${title}\n${command}`)
  return [
    "mcp-authorizer demo",
    "",
    `  MCP endpoint       ${facts.mcpUrl}`,
    `  Identity provider  ${facts.issuer} (development only: it gives tokens to its one client)`,
    `  Token              below, good for ${duration(facts.tokenLifeSeconds)}`,
    "",
    sections.join("\n\n"),
    "",
    "Ctrl-C ends it."
  ].join("\n")
}
