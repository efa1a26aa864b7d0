import type { IncomingMessage } from "node:http"

/** Whether a request names a loopback host: a server without authentication must reject all others. */
export const isLoopback = ({ headers: { host = "" } }: IncomingMessage): boolean =>
  /^(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?$/.test(host)
