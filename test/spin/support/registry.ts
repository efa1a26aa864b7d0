/** A registry on loopback, with what pushing and pulling need of the OCI distribution specification. */
import * as Effect from "effect/Effect"
import { createHash, randomUUID } from "node:crypto"
import { createServer, type IncomingMessage } from "node:http"
import { buffer } from "node:stream/consumers"

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

interface Stored {
  readonly type: string
  readonly bytes: Uint8Array
}

/** The registry, and the paths of what was pushed to it. */
export const makeRegistry = Effect.acquireRelease(
  Effect.callback<
    { readonly origin: string; readonly close: () => void; readonly pushed: () => ReadonlyArray<string> }
  >(
    (resume) => {
      const stored = new Map<string, Stored>()
      const uploads = new Set<string>()
      const pushed: Array<string> = []

      const respond = async (request: IncomingMessage) => {
        const url = new URL(request.url ?? "/", "http://registry.invalid")
        const found = stored.get(url.pathname)
        if (request.method === "GET" || request.method === "HEAD") return found === undefined ? 404 : found
        if (request.method === "POST" && url.pathname.endsWith("/blobs/uploads/")) {
          const location = `${url.pathname}${randomUUID()}`
          uploads.add(location)
          return { location }
        }
        const bytes = await buffer(request)
        const digest = url.searchParams.get("digest")
        const type = request.headers["content-type"] ?? ""
        if (url.pathname.includes("/manifests/")) {
          stored.set(url.pathname, { type, bytes })
          pushed.push(url.pathname)
          return 201
        }
        if (!uploads.delete(url.pathname) || digest !== digestOf(bytes)) return 400
        const path = `${url.pathname.split("/uploads/")[0]}/${digest}`
        stored.set(path, { type, bytes })
        pushed.push(path)
        return 201
      }

      const server = createServer(async (request, response) => {
        const outcome = await respond(request)
        if (typeof outcome === "number") return response.writeHead(outcome).end()
        if ("location" in outcome) return response.writeHead(202, outcome).end()
        response.writeHead(200, { "content-type": outcome.type, "content-length": outcome.bytes.length })
        response.end(request.method === "HEAD" ? undefined : outcome.bytes)
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({
          origin: `http://127.0.0.1:${port}`,
          pushed: () => pushed,
          close: () => {
            server.closeAllConnections()
            server.close()
          }
        }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)
