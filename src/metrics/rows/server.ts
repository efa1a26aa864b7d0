/** The values of the label `server`. */
export const server = "the name of the MCP server; `default` where there is one, `none` for requests to none of several"
