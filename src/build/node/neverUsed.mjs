import { createRequire } from "node:module"

const { resolve } = createRequire(import.meta.url)

const rejection = (what) => `() => { throw new Error("${what} is not part of this program") }`

/** An import of some module, and its replacement. */
const replacements = [
  {
    // Its barrel loads the whole package, which takes longer than anything else.
    imported: /^undici$/,
    importer: /./,
    contents: `import api from ${JSON.stringify(resolve("undici/lib/api/index.js"))}
      import Dispatcher from ${JSON.stringify(resolve("undici/lib/dispatcher/dispatcher.js"))}
      // As the barrel does: agents use these symbols.
      Object.assign(Dispatcher.prototype, api)
      export { default as Agent } from ${JSON.stringify(resolve("undici/lib/dispatcher/agent.js"))}
      export { default as ProxyAgent } from ${JSON.stringify(resolve("undici/lib/dispatcher/proxy-agent.js"))}
      export { default as Client } from ${JSON.stringify(resolve("undici/lib/dispatcher/client.js"))}
      export { default as Pool } from ${JSON.stringify(resolve("undici/lib/dispatcher/pool.js"))}
      export { default as errors } from ${JSON.stringify(resolve("undici/lib/core/errors.js"))}`
  },
  {
    // Not offered to the MCP server; loads `node:http2`.
    imported: /^\.\/client-h2(?:\.js)?$/,
    importer: /undici/,
    contents: `module.exports = ${rejection("HTTP/2")}`
  },
  {
    // `httpServer.ts` has no upgrades.
    imported: /^\.\/NodeWS\.js$/,
    importer: /NodeHttpServer/,
    contents: `export const WebSocketServer = ${rejection("WebSocket")}`
  },
  {
    imported: /^\.\/Undici\.js$/,
    importer: /NodeHttpClient/,
    contents: "export {}"
  },
  {
    imported: /^\.\/internal\/upgrade\.js$/,
    importer: /NodeHttp(?:Server|Client)/,
    contents: `export const frameBody = ${rejection("upgrade")}, drainBody = frameBody, toSocket = frameBody`
  },
  {
    // TLS is for the proxy in front.
    imported: /^\.\/internal\/http\.js$/,
    importer: /NodeHttpServer/,
    contents: `exports.http = require("node:http")`
  },
  {
    // Files, terminals and child processes, for layers that the program does not use.
    imported: /^\.\/Node(?:Services|HttpPlatform)\.js$/,
    importer: /NodeHttpServer/,
    contents: `export { empty as layer } from "effect/Layer"`
  }
]

const found = new Set()

/** An esbuild plugin that leaves out modules that the dependencies load at start and that the program never uses. */
export const neverUsed = {
  name: "never used",
  setup: (build) => {
    for (const [index, { imported, importer }] of replacements.entries()) {
      build.onResolve({ filter: imported }, (asked) => {
        if (!importer.test(asked.importer)) return undefined
        found.add(index)
        return { path: String(index), namespace: "replacement" }
      })
    }
    // Imported as ECMAScript modules, Node's own evaluate all their lazy exports.
    build.onResolve({ filter: /^node:/ }, ({ kind, path }) =>
      kind === "import-statement" ? { path, namespace: "builtin" } : undefined)
    build.onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)})`
    }))
    build.onLoad({ filter: /./, namespace: "replacement" }, ({ path }) => ({
      contents: replacements[Number(path)].contents,
      resolveDir: import.meta.dirname
    }))
  }
}

/** Replacements whose import was not found. A dependency has changed, and may load again what it should not. */
export const staleReplacements = () =>
  replacements.flatMap(({ imported }, index) => found.has(index) ? [] : [String(imported)])
