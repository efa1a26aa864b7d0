/**
 * Builds the target of an upstream request from the configured URL's path and what followed the MCP path.
 *
 * @param basePath path of `MCP_GATEWAY_URL`
 * @param rest what followed the MCP path: empty, or beginning with a slash
 * @param query the query as received, without its `?`
 */
export const upstreamTarget = (basePath: string, rest: string, query: string): string => {
  const base = basePath.endsWith("/") && rest !== "" ? basePath.slice(0, -1) : basePath
  const path = rest === "/" ? base || "/" : base + rest
  return query === "" ? path : `${path}?${query}`
}
