/** FastMCP's auth middleware: in Python, once for each request, with no MCP server behind it. See `fastmcpServer.py`. */
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { closedPort } from "../../node/support/ports.ts"
import { temporaryDirectory } from "../../node/support/scratch.ts"
import { placement } from "../machine.ts"
import { serve } from "../processes.ts"
import { audience } from "../tokens.ts"
import { toolsListResponse } from "./mcpResponses.ts"

const program = "test/bench/peers/fastmcpServer.py"

/** Starts it; it takes the place of gateway and MCP server together. */
export const startFastmcp = Effect.fnUntraced(function*(python: string) {
  const { issuer, jwksUri } = yield* TestIssuer
  const port = yield* closedPort
  const responseFile = join(yield* temporaryDirectory, "response.json")
  yield* Effect.promise(() => writeFile(responseFile, toolsListResponse))
  const args = [program, String(port), issuer, jwksUri, audience, responseFile]
  return yield* serve({ file: python, args, cores: placement.server }, port, "/")
})
