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

interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** The registry, and the paths of what was pushed to it. */
export const makeRegistry = Effect.acquireRelease(
  Effect.callback<
    { readonly origin: string; readonly close: () => void; readonly pushed: () => ReadonlyArray<string> }
  >(
    (resume) => {
      const stored = new Map<string, Stored>()
      const uploads = new Map<string, Uint8Array>()
      const pushed: Array<string> = []

      const store = (path: string, type: string, bytes: Uint8Array) => {
        stored.set(path, { type, bytes })
        pushed.push(path)
        return { status: 201, headers: { location: path, "docker-content-digest": digestOf(bytes) } }
      }

      const respond = async (request: IncomingMessage): Promise<Reply> => {
        const url = new URL(request.url ?? "/", "http://registry.invalid")
        const { method } = request
        if (method === "GET" || method === "HEAD") {
          // What a client asks first, to find out how to log in.
          if (url.pathname === "/v2/") return { status: 200 }
          const found = stored.get(url.pathname)
          if (found === undefined) return { status: 404 }
          const headers = {
            "content-type": found.type,
            "content-length": String(found.bytes.length),
            "docker-content-digest": digestOf(found.bytes)
          }
          return { status: 200, headers, body: found.bytes }
        }
        if (method === "POST" && url.pathname.endsWith("/blobs/uploads/")) {
          const location = `${url.pathname}${randomUUID()}`
          uploads.set(location, new Uint8Array())
          return { status: 202, headers: { location } }
        }
        const bytes = await buffer(request)
        if (url.pathname.includes("/manifests/")) {
          const type = request.headers["content-type"] ?? ""
          const byDigest = `${url.pathname.slice(0, url.pathname.lastIndexOf("/"))}/${digestOf(bytes)}`
          if (byDigest !== url.pathname) stored.set(byDigest, { type, bytes })
          return store(url.pathname, type, bytes)
        }
        const begun = uploads.get(url.pathname)
        if (begun === undefined) return { status: 404 }
        const whole = Buffer.concat([begun, bytes])
        if (method === "PATCH") {
          uploads.set(url.pathname, whole)
          return { status: 202, headers: { location: url.pathname, range: `0-${whole.length - 1}` } }
        }
        uploads.delete(url.pathname)
        const digest = url.searchParams.get("digest")
        if (digest !== digestOf(whole)) return { status: 400 }
        return store(`${url.pathname.split("/uploads/")[0]}/${digest}`, "application/octet-stream", whole)
      }

      const server = createServer(async (request, response) => {
        const { body, headers = {}, status } = await respond(request)
        response.writeHead(status, headers)
        response.end(request.method === "HEAD" ? undefined : body)
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
