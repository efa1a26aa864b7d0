import { fastmcp, pythonSdk } from "./python.ts"
import { testProgram } from "./signsIn.ts"
import { sites } from "./sites.ts"

testProgram("the official Python SDK", pythonSdk, sites)

testProgram("the client of FastMCP", fastmcp, sites)
