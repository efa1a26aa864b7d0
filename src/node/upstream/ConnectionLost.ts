import type { Loss } from "./UpstreamConnection.ts"

// What is lost later than that had most likely been read: the server, and not the moment, is the cause.
const momentMillis = 1000

const millis = (exact: number): string => `${Math.round(exact)} ms`

/** A connection to the MCP server that was lost before its answer was complete; the message is for the log. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost"

  /** @param code what the system or `undici` calls it */
  constructor({ answered, idleMillis, reused, sentMillis }: Loss, code: string) {
    super(
      answered
        ? `the MCP server broke off within its answer, ${millis(sentMillis)} after the request was sent (${code})`
        : reused && sentMillis < momentMillis
        ? `the MCP server closed a connection that had been idle for ${millis(idleMillis)} as the request was sent ` +
          `(${code}); make MCP_UPSTREAM_IDLE_TIMEOUT shorter than the time for which it keeps idle connections`
        : `the MCP server broke off ${millis(sentMillis)} after the request was sent, before it answered (${code})`
    )
  }
}
