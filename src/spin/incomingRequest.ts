const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i

/**
 * Makes the engine's request fit for a Web handler.
 *
 * Its `signal` cannot be read in this engine, and hosts that keep `Host` to themselves still put the authority into the
 * URL. Own properties stand before those of the class; a copy of the request would lose its body's length.
 */
export const incomingRequest = (request: Request): Request => {
  const headers = new Headers(request.headers)
  const host = authority.exec(request.url)?.[1]
  if (!headers.has("host") && host !== undefined) headers.set("host", host)
  return Object.defineProperties(request, { headers: { value: headers }, signal: { value: undefined } })
}
