/**
 * The MCP server behind a Unix socket: `http+unix://`, the percent-encoded path of the socket, the path of the endpoint.
 *
 * An http URL with the socket inside it (nginx's `http://unix:/run/mcp.sock:/mcp`) is misread by parsers that do not
 * know that notation, which take the socket for a host. This form is a plain URL (RFC 3986, section 3.2.2), is
 * unambiguous, and has a scheme that clients without Unix sockets reject.
 */
import * as Result from "effect/Result"
import { type Checked, invalid } from "./kind.ts"

const form = /^http\+unix:\/\/(%2f[\w.~!$&'()*+,;=%-]*)\/[\x21-\x7e]*$/i

// The maximum length of `sun_path` on Linux, without the final byte.
const longestPath = 107

/** Returns whether a URL is meant as a Unix socket, in any notation. */
export const meansSocket = (url: string): boolean => /^(?:[a-z+]*unix:|https?:\/\/unix:\/)/i.test(url)

/**
 * The path of the MCP server's Unix socket; `undefined` for a server that is reached over TCP.
 *
 * For clients that connect to it, and for hosts that must reject sockets that they cannot connect to.
 *
 * @param gatewayUrl `gatewayUrl` of the settings: `/run/mcp.sock` for `http+unix://%2Frun%2Fmcp.sock/mcp`
 */
export const gatewaySocket = (gatewayUrl: string): string | undefined => {
  const authority = form.exec(gatewayUrl)?.[1]
  return authority === undefined ? undefined : Result.getOrUndefined(Result.try(() => decodeURIComponent(authority)))
}

export const checkSocketUrl = (url: string): Checked<string> => {
  const path = /[?#\\]/.test(url) ? undefined : gatewaySocket(url)
  if (path === undefined || /\p{Cc}|\/$/u.test(path)) {
    return invalid(
      "is not the URL of an endpoint behind a Unix socket",
      "Write it as http+unix://%2Frun%2Fmcp.sock/mcp: the absolute path of the socket, with %2F for each slash, and " +
        "behind it the path of the endpoint, at least /"
    )
  }
  return new TextEncoder().encode(path).length > longestPath
    ? invalid(`names a socket with a path of more than ${longestPath} bytes`, "Put the socket into another directory")
    : Result.succeed(url)
}
