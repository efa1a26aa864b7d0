/** HAProxy with `jwt_verify`: in C, once for each request, in one thread. Its configuration is `haproxy.cfg`. */
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { closedPort } from "../../node/support/ports.ts"
import { temporaryDirectory } from "../../node/support/scratch.ts"
import { placement } from "../machine.ts"
import { serve } from "../processes.ts"
import { audience } from "../tokens.ts"

const configFile = "test/bench/peers/haproxy.cfg"

/** Starts it in front of an MCP server. */
export const startHaproxy = Effect.fnUntraced(function*(file: string, upstream: string) {
  const { issuer, key } = yield* TestIssuer
  const { publicPem } = yield* key("RS256")
  const port = yield* closedPort
  const keyFile = join(yield* temporaryDirectory, "key.pem")
  yield* Effect.promise(() => writeFile(keyFile, publicPem))
  const env = {
    BENCH_PORT: String(port),
    BENCH_UPSTREAM_PORT: new URL(upstream).port,
    BENCH_KEY_FILE: keyFile,
    BENCH_ISSUER: issuer,
    BENCH_AUDIENCE: audience
  }
  // In the foreground: the process that is started is the one that serves.
  return yield* serve({ file, args: ["-db", "-f", configFile], cores: placement.server, env }, port, "/mcp")
})
