import { mcpRemote } from "./mcpRemote.ts"
import { testProgram } from "./signsIn.ts"
import { sites } from "./sites.ts"

testProgram("mcp-remote", mcpRemote, sites)
