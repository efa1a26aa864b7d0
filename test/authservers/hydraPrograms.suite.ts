/** Programs with a real Ory Hydra, from their first 401 to a called tool and through a refresh. */
import { mcpRemote } from "../sign-in/mcpRemote.ts"
import { official } from "../sign-in/official.ts"
import { fastmcp, pythonSdk } from "../sign-in/python.ts"
import { testProgram } from "../sign-in/signsIn.ts"
import { hydraSites } from "./hydraSites.ts"

for (const [name, program] of official) testProgram(name, program, hydraSites)

testProgram("the official Python SDK", pythonSdk, hydraSites)

testProgram("the client of FastMCP", fastmcp, hydraSites)

testProgram("mcp-remote", mcpRemote, hydraSites)
