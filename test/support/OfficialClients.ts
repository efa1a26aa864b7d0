/** The official MCP clients, 1.x and 2.x, behind one interface. */
import * as V2 from "@modelcontextprotocol/client"
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js"
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { HeadlessOAuthClient } from "./HeadlessOAuthClient.ts"

export interface OfficialClientOptions {
  /** Sent with every request; `authorization` for example. */
  readonly headers?: Readonly<Record<string, string>>
  /** Signs in when the server requires it. */
  readonly oauth?: HeadlessOAuthClient
}

export interface OfficialClient {
  readonly serverName: () => string | undefined
  readonly protocolVersion: () => string | undefined
  readonly sessionId: () => string | undefined
  readonly tools: Effect.Effect<ReadonlyArray<string>, ClientFailed>
  /** The text that the tool returns; `onProgress` gets its progress notifications. */
  readonly call: (
    name: string,
    args?: Record<string, unknown>,
    onProgress?: (progress: number) => void
  ) => Effect.Effect<string, ClientFailed>
  /** The text of a resource. */
  readonly read: (uri: string) => Effect.Effect<string, ClientFailed>
  /** The text of a prompt's first message. */
  readonly prompt: (name: string) => Effect.Effect<string, ClientFailed>
  /** Log messages and list changes that the server has sent without a request. */
  readonly notifications: () => ReadonlyArray<string>
  /** Ends the session at the server (1.x and 2.x legacy). */
  readonly terminate: Effect.Effect<void, ClientFailed>
}

/** The error of an official client. */
export class ClientFailed extends Data.TaggedError("ClientFailed")<{ readonly cause: unknown }> {}

const attempt = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, ClientFailed> =>
  Effect.tryPromise({ try: run, catch: (cause) => new ClientFailed({ cause }) })

const textOf = (result: object): string => {
  const content: unknown = "content" in result ? result.content : undefined
  const first: unknown = Array.isArray(content) ? content[0] : undefined
  return typeof first === "object" && first !== null && "text" in first ? String(first.text) : JSON.stringify(result)
}

const authorise = async (
  oauth: HeadlessOAuthClient | undefined,
  finish: (callback: URLSearchParams) => Promise<void>
) => {
  if (oauth === undefined) return false
  await finish(oauth.takeCallback())
  return true
}

const textOfResource = ({ contents: [first] }: { readonly contents: ReadonlyArray<object> }): string =>
  first !== undefined && "text" in first ? String(first.text) : JSON.stringify(first)

const textOfPrompt = (
  { messages: [first] }: { readonly messages: ReadonlyArray<{ readonly content: object }> }
): string => first !== undefined && "text" in first.content ? String(first.content.text) : JSON.stringify(first)

/** Connects a client 1.x; it closes with the scope. */
export const connectV1 = Effect.fnUntraced(function*(
  url: string,
  options: OfficialClientOptions = {}
): Effect.fn.Return<OfficialClient, ClientFailed, Scope.Scope> {
  const client = new ClientV1({ name: "client-v1", version: "1.0.0" })
  const seen: Array<string> = []
  client.fallbackNotificationHandler = async ({ method, params }) => {
    seen.push(`${method} ${JSON.stringify(params ?? {})}`)
  }
  const open = () =>
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { ...options.headers } },
      ...(options.oauth === undefined ? {} : { authProvider: options.oauth })
    })
  let transport = open()
  yield* Effect.addFinalizer(() => Effect.promise(() => client.close()))
  // The SDK's class has an optional property of type `| undefined`; its own interface does not.
  const connect = () => client.connect(transport as Transport)
  yield* attempt(() =>
    connect().catch(async (error: unknown) => {
      const authorised = error instanceof UnauthorizedError &&
        await authorise(options.oauth, (callback) => transport.finishAuth(callback.get("code") ?? ""))
      if (!authorised) throw error
      transport = open()
      await connect()
    })
  )
  return {
    serverName: () => client.getServerVersion()?.name,
    protocolVersion: () => transport.protocolVersion,
    sessionId: () => transport.sessionId,
    tools: attempt(async () => (await client.listTools()).tools.map(({ name }) => name)),
    call: (name, args = {}, onProgress) =>
      attempt(async (signal) =>
        textOf(
          await client.callTool({ name, arguments: args }, undefined, {
            signal,
            ...(onProgress === undefined ? {} : { onprogress: ({ progress }) => onProgress(progress) })
          })
        )
      ),
    read: (uri) => attempt(async () => textOfResource(await client.readResource({ uri }))),
    prompt: (name) => attempt(async () => textOfPrompt(await client.getPrompt({ name }))),
    notifications: () => [...seen],
    terminate: attempt(() => transport.terminateSession())
  }
})

/** Connects a client 2.x; `legacy` begins with `initialize`, `auto` probes for revision 2026-07-28 first. */
export const connectV2 = Effect.fnUntraced(function*(
  url: string,
  mode: "legacy" | "auto",
  options: OfficialClientOptions = {}
): Effect.fn.Return<OfficialClient, ClientFailed, Scope.Scope> {
  const seen: Array<string> = []
  const client = new V2.Client({ name: "client-v2", version: "1.0.0" }, { versionNegotiation: { mode } })
  client.fallbackNotificationHandler = async ({ method, params }) => {
    seen.push(`${method} ${JSON.stringify(params ?? {})}`)
  }
  const open = () =>
    new V2.StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { ...options.headers } },
      ...(options.oauth === undefined ? {} : { authProvider: options.oauth })
    })
  let transport = open()
  yield* Effect.addFinalizer(() => Effect.promise(() => client.close()))
  yield* attempt(() =>
    client.connect(transport).catch(async (error: unknown) => {
      const authorised = error instanceof V2.UnauthorizedError &&
        await authorise(options.oauth, (callback) => transport.finishAuth(callback))
      if (!authorised) throw error
      transport = open()
      await client.connect(transport)
    })
  )
  return {
    serverName: () => client.getServerVersion()?.name,
    protocolVersion: () => client.getNegotiatedProtocolVersion(),
    sessionId: () => transport.sessionId,
    tools: attempt(async () => (await client.listTools()).tools.map(({ name }) => name)),
    call: (name, args = {}, onProgress) =>
      attempt(async (signal) =>
        textOf(
          await client.callTool({ name, arguments: args }, {
            signal,
            ...(onProgress === undefined ? {} : { onprogress: ({ progress }) => onProgress(progress) })
          })
        )
      ),
    read: (uri) => attempt(async () => textOfResource(await client.readResource({ uri }))),
    prompt: (name) => attempt(async () => textOfPrompt(await client.getPrompt({ name }))),
    notifications: () => [...seen],
    terminate: attempt(() => transport.terminateSession())
  }
})
