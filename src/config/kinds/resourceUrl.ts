export const withoutSlash = (url: string): string => url.endsWith("/") ? url.slice(0, -1) : url

/** The resource identifier of the MCP endpoint: public URL and MCP path, no slash at the end (RFC 8707, section 2). */
export const resourceUrl = (publicUrl: string, path: string): string => path === "/" ? publicUrl : publicUrl + path
