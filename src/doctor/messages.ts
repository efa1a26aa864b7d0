/**
 * The messages that the doctor sends. They change nothing at the server, except for sessions, which the doctor ends.
 * Pure.
 */
import * as Encoding from "effect/encoding/Base64"
import { version } from "../version.ts"
import type { Call, KnownSession } from "./Step.ts"
import type { ToSend } from "./wire/Reply.ts"

/** The newest revision with `initialize`, and the first one without. */
export const sessionRevision = "2025-11-25"
export const modernRevision = "2026-07-28"

/** All revisions over Streamable HTTP. */
export const revisions: ReadonlyArray<string> = ["2025-03-26", "2025-06-18", sessionRevision, modernRevision]

export const acceptBoth = "application/json, text/event-stream"

const clientInfo = { name: "mcp-authorizer-doctor", version }

/**
 * The id of each method. Methods are sent within one session, some concurrently, and ids must differ within a session.
 */
const numbered = ["initialize", "tools/list", "prompts/list", "resources/list", "ping", "tools/call", "server/discover"]

/** A request object of JSON-RPC. Its id depends on the method. */
export const rpc = (method: string, params?: object): string =>
  JSON.stringify({
    jsonrpc: "2.0",
    id: numbered.indexOf(method) + 1,
    method,
    ...(params === undefined ? {} : { params })
  })

const post = (url: URL, body: string, headers: Readonly<Record<string, string>> = {}): ToSend => ({
  method: "POST",
  url: url.href,
  headers: { accept: acceptBoth, "content-type": "application/json", ...headers },
  body
})

export const initialize = (url: URL): ToSend =>
  post(url, rpc("initialize", { protocolVersion: sessionRevision, capabilities: {}, clientInfo }))

/** The fields that a client sends after `initialize`. */
export const sessionHeaders = ({ id, version: revision }: KnownSession): Readonly<Record<string, string>> => ({
  "mcp-protocol-version": revision,
  ...(id === undefined ? {} : { "mcp-session-id": id })
})

export const inSession = (url: URL, session: KnownSession, method: string, params?: object): ToSend =>
  post(url, rpc(method, params), sessionHeaders(session))

export const notify = (url: URL, session: KnownSession, method: string): ToSend =>
  post(url, JSON.stringify({ jsonrpc: "2.0", method }), sessionHeaders(session))

export const end = (url: URL, session: KnownSession): ToSend => ({
  method: "DELETE",
  url: url.href,
  headers: sessionHeaders(session)
})

const modernMeta = {
  "io.modelcontextprotocol/protocolVersion": modernRevision,
  "io.modelcontextprotocol/clientInfo": clientInfo,
  "io.modelcontextprotocol/clientCapabilities": {}
}

/** A request in the revision without sessions. `named`: the method in the field, which must equal that in the body. */
export const modern = (url: URL, method: string, named: string = method): ToSend =>
  post(url, rpc(method, { _meta: modernMeta }), { "mcp-protocol-version": modernRevision, "mcp-method": named })

const fieldValue = (text: string): string =>
  /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) ? text : `=?base64?${Encoding.encode(text)}?=`

/** A call that requests progress: within a session or, without one, in the newest revision. */
export const callTool = (url: URL, session: KnownSession | undefined, { arguments: given, tool }: Call): ToSend => {
  const meta = { progressToken: "doctor", ...(session === undefined ? modernMeta : {}) }
  const headers = session === undefined
    ? { "mcp-protocol-version": modernRevision, "mcp-method": "tools/call", "mcp-name": fieldValue(tool) }
    : sessionHeaders(session)
  return post(url, rpc("tools/call", { name: tool, arguments: given, _meta: meta }), headers)
}
