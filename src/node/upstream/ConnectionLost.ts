import type { Loss } from "./UpstreamConnection.ts"

// After this time the server had most likely read the request, so the loss is not a matter of timing.
const momentMillis = 1000

const millis = (exact: number): string => `${Math.round(exact)} ms`

/** A connection to the MCP server was lost before its response was complete. The message is for the log. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost"

  /** @param code the code of the system or of `undici` */
  constructor({ responseBegan, idleMillis, reused, sentMillis }: Loss, code: string) {
    super(
      responseBegan
        ? `the MCP server closed the connection during its response, ${
          millis(sentMillis)
        } after the request was sent (${code})`
        : reused && sentMillis < momentMillis
        ? `the MCP server closed a connection that had been idle for ${millis(idleMillis)} as the request was sent ` +
          `(${code}); make MCP_UPSTREAM_IDLE_TIMEOUT shorter than the server's own idle timeout`
        : `the MCP server closed the connection ${
          millis(sentMillis)
        } after the request was sent, before any response (${code})`
    )
  }
}
