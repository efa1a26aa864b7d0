/**
 * The MCP server of all cases that it can serve: nginx, which is never the bottleneck.
 *
 * It responds to a message before it has read it, which is why uploads go elsewhere.
 */
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { closedPort } from "../../node/support/ports.ts"
import { temporaryDirectory } from "../../node/support/scratch.ts"
import { placement } from "../machine.ts"
import { serve } from "../processes.ts"
import { downloadPath, initializeResponse, largeLength, toolsListResponse } from "./mcpResponses.ts"

const config = (port: number, directory: string) => `
# One process, so that ending it ends all of it.
daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr crit;
events { worker_connections 8192; }
http {
  # No logs, because no one reads them.
  access_log off;
  client_body_temp_path ${directory};
  proxy_temp_path ${directory};
  fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory};
  scgi_temp_path ${directory};
  # The default closes a connection after 1,000 requests or 75 s.
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  # Heads and short bodies go out at once.
  tcp_nodelay on;
  # Large responses are the kernel's work, not nginx's.
  sendfile on;
  client_max_body_size 0;
  map $http_mcp_method $response {
    default '${toolsListResponse}';
    initialize '${initializeResponse}';
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    default_type application/json;
    location / { return 200 $response; }
    location = ${downloadPath} {
      default_type application/octet-stream;
      alias ${directory}/large;
    }
  }
}
`

/** Starts it. */
export const startNginx = Effect.fnUntraced(function*(file: string) {
  const port = yield* closedPort
  const directory = yield* temporaryDirectory
  const configFile = join(directory, "nginx.conf")
  yield* Effect.promise(() => writeFile(configFile, config(port, directory)))
  yield* Effect.promise(() => writeFile(join(directory, "large"), Buffer.alloc(largeLength, "A")))
  const args = ["-e", "stderr", "-p", directory, "-c", configFile]
  return yield* serve({ file, args, cores: placement.upstream }, port)
})
