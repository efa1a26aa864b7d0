/** Requests for the documents of clients, whose URLs anyone can choose. */
import * as Effect from "effect/Effect"
import { lookup as lookUpHost, type LookupAddress, type LookupAllOptions } from "node:dns"
import { isIP, type LookupFunction } from "node:net"
import * as Tls from "node:tls"
import { Agent } from "undici"
import { ClientDocumentRejected } from "../../facade/ClientMetadata.ts"
import { makeClientMetadata, type RequestDocument } from "../../facade/clientMetadataCache.ts"
import { isPublicAddress } from "../../facade/publicAddress.ts"
import { errorCode } from "../errorCode.ts"
import type { Authorities } from "./authorities.ts"

/** From the first packet to the last byte of the document. */
const timeoutMillis = 5_000

/** The draft recommends 5 KB (section 8.6); some clients list many redirect URIs. */
const maxBytes = 16_384

const notPublic = "NOT_PUBLIC"

const notPublicError = (): Error =>
  Object.assign(new Error("the host has an address that is not public"), { code: notPublic })

/** The lookup of all addresses of a host, in the form of Node's own `lookup`. */
export type LookUp = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: ReadonlyArray<LookupAddress>) => void
) => void

/** Finds the addresses of a host, and fails if one of them is not public: the others would be the next try. */
const publicLookup = (lookUp: LookUp): LookupFunction => (hostname, options, callback) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "")
    const [first] = addresses
    if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(notPublicError(), "")
    }
    return options.all === true ? callback(null, [...addresses]) : callback(null, first.address, first.family)
  })
}

/**
 * Makes the connections for documents.
 *
 * The address is checked when the name is resolved for this connection, so that a name server cannot change it
 * afterwards; and once more on the connection, before anything is sent.
 */
const makeAgent = (secureContext: Tls.SecureContext | undefined, lookUp: LookUp, isPrivateAllowed: boolean): Agent =>
  new Agent({
    // The number of connections to one host, each for one request.
    connections: 4,
    pipelining: 0,
    connect: ({ hostname, port }, callback) => {
      const host = hostname.replace(/^\[(.*)\]$/, "$1")
      if (!isPrivateAllowed && isIP(host) !== 0 && !isPublicAddress(host)) return callback(notPublicError(), null)
      const socket = Tls.connect({
        host,
        port: port === "" ? 443 : Number(port),
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(isPrivateAllowed ? {} : { lookup: publicLookup(lookUp) }),
        ...(secureContext === undefined ? {} : { secureContext }),
        ALPNProtocols: ["http/1.1"]
      })
      const giveUp = (error: Error) => {
        socket.removeAllListeners().on("error", () => undefined).destroy()
        callback(error, null)
      }
      socket.setTimeout(timeoutMillis, () => giveUp(new Error("no response")))
      socket.once("error", giveUp)
      socket.once("secureConnect", () => {
        if (!isPrivateAllowed && !isPublicAddress(socket.remoteAddress ?? "")) return giveUp(notPublicError())
        socket.off("error", giveUp).setTimeout(0)
        callback(null, socket)
      })
    }
  })

const jsonType = /^application\/(?:json|[a-z0-9!#$&^_.-]+\+json)\s*(?:;|$)/i

const rejected = (detail: string) => new ClientDocumentRejected({ detail })

/** Requests a document with one of these agents. Follows no redirect, takes no proxy, and sends no credentials. */
const makeRequest = (agentFor: (isPrivateAllowed: boolean) => Agent): RequestDocument => (url, isPrivateAllowed) =>
  Effect.tryPromise({
    try: async (aborted) => {
      const signal = AbortSignal.any([aborted, AbortSignal.timeout(timeoutMillis)])
      const { body, headers, statusCode } = await agentFor(isPrivateAllowed).request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: "GET",
        headers: { accept: "application/json", "accept-encoding": "identity" },
        signal
      })
      const give = (problem: string) => {
        body.on("error", () => undefined).destroy()
        return rejected(problem)
      }
      if (statusCode !== 200) return give(`the document was requested, and the status is ${statusCode}`)
      if (!jsonType.test(String(headers["content-type"] ?? ""))) return give("the document is not application/json")
      if ((headers["content-encoding"] ?? "identity") !== "identity") return give("the document is encoded")
      const chunks: Array<Buffer> = []
      let size = 0
      for await (const chunk of body) {
        const bytes = Buffer.from(chunk)
        size += bytes.length
        if (size > maxBytes) return give(`the document is longer than ${maxBytes} bytes`)
        chunks.push(bytes)
      }
      const cacheControl = headers["cache-control"]
      return {
        text: new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)),
        cacheControl: Array.isArray(cacheControl) ? cacheControl.join(", ") : cacheControl
      }
    },
    catch: (error) => {
      const code = error instanceof Error && error.name === "TimeoutError" ? "TIMEOUT" : errorCode(error)
      if (code === notPublic) return rejected("the host of the document has an address that is not public")
      if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return rejected("the document is not UTF-8")
      return new ClientDocumentRejected({ detail: `the document cannot be fetched (${code})`, isUnavailable: true })
    }
  }).pipe(
    Effect.flatMap((found) => found instanceof ClientDocumentRejected ? Effect.fail(found) : Effect.succeed(found))
  )

/**
 * Builds the service that fetches the documents of clients, guarded against requests into networks that only this machine can
 * reach.
 *
 * @param authorities those of `MCP_CA_FILE`, for documents of a company's own clients
 * @param lookUp finds addresses; that of the system unless given
 */
export const makeClientDocuments = Effect.fnUntraced(function*(
  authorities: Authorities | undefined,
  lookUp: LookUp = lookUpHost
) {
  const secureContext = authorities?.secureContext
  const [guarded, unguarded] = yield* Effect.acquireRelease(
    Effect.sync(() => [makeAgent(secureContext, lookUp, false), makeAgent(secureContext, lookUp, true)] as const),
    (agents) => Effect.promise(() => Promise.all(agents.map((agent) => agent.destroy())))
  )
  return yield* makeClientMetadata(makeRequest((isPrivateAllowed) => isPrivateAllowed ? unguarded : guarded))
})
