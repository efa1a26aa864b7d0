/** Programs with a real Keycloak, from their first 401 to a called tool and through a refresh. */
import { mcpRemote } from "../sign-in/mcpRemote.ts"
import { official } from "../sign-in/official.ts"
import { fastmcp, pythonSdk } from "../sign-in/python.ts"
import { testProgram } from "../sign-in/signsIn.ts"
import { keycloakSites } from "./keycloakSites.ts"

for (const [name, program] of official) testProgram(name, program, keycloakSites)

testProgram("the official Python SDK", pythonSdk, keycloakSites)

testProgram("the client of FastMCP", fastmcp, keycloakSites)

testProgram("mcp-remote", mcpRemote, keycloakSites)
