/** Settings of the admin port: its address, and who may read it. */
import { adminToken } from "../kinds/adminToken.ts"
import { integer, scopes } from "../kinds/kinds.ts"
import { host } from "../kinds/network.ts"
import { none, type Setting } from "./Setting.ts"

export const admin = {
  MCP_ADMIN_PORT: {
    kind: integer(0, 65_535),
    otherwise: "no admin port",
    atStart: true,
    doc: "The port with metrics and the status page, for all workers together; 0 lets the system choose."
  },
  MCP_ADMIN_HOST: {
    kind: host,
    default: "127.0.0.1",
    atStart: true,
    doc: "The address of the admin port. An address that other machines can reach requires `MCP_ADMIN_TOKEN` or " +
      "`MCP_ADMIN_SCOPES`."
  },
  MCP_ADMIN_TOKEN: {
    kind: adminToken,
    secret: true,
    otherwise: "this machine may read without credentials, if there are no `MCP_ADMIN_SCOPES` either",
    doc: "The secret for reading the admin port, as a bearer token or as the password in a browser."
  },
  MCP_ADMIN_SCOPES: {
    kind: scopes,
    absent: none,
    otherwise: "no token of a provider is accepted there",
    doc: "Scopes for reading the admin port: a token of a configured provider must have all of them."
  }
} as const satisfies Record<string, Setting>
