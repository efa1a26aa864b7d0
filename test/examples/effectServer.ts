/**
 * An MCP server in Effect whose tools, resources and prompts know who calls.
 *
 * Everyone has their own notes. Deleting them requires the scope `notes:delete`; callers without it get HTTP 403 with
 * that scope in the challenge, so that clients can request it, and do not see the tool in the list.
 *
 *     MCP_JWT_ISSUER=https://issuer.example.com MCP_JWT_AUDIENCE=auto MCP_PUBLIC_URL=https://notes.example.com
 */
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as MutableHashMap from "effect/MutableHashMap"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Authentication, CurrentIdentity, GatewayConfig, layerVerifier, requireToolScopes } from "mcp-authorizer"

/** The notes of everyone, kept apart by issuer and subject: a subject alone is unique to its issuer only. */
class Notes extends Context.Service<Notes, {
  readonly mine: Effect.Effect<Array<string>, never, CurrentIdentity>
}>()("notes/Notes") {
  static readonly layer = Layer.sync(Notes, () => {
    const notes = MutableHashMap.empty<string, Array<string>>()
    return {
      mine: Effect.map(CurrentIdentity, ({ issuer, subject }) => {
        const owner = JSON.stringify([issuer, subject])
        const own = Option.getOrElse(MutableHashMap.get(notes, owner), () => [])
        MutableHashMap.set(notes, owner, own)
        return own
      })
    }
  })
}

const WhoAmI = Tool.make("whoami", {
  description: "Says who calls",
  success: Schema.Struct({ subject: Schema.String, scopes: Schema.Array(Schema.String) }),
  dependencies: [CurrentIdentity]
})

const AddNote = Tool.make("add_note", {
  description: "Writes a note down",
  parameters: Schema.Struct({ text: Schema.String }),
  success: Schema.Struct({ count: Schema.Int }),
  dependencies: [CurrentIdentity]
})

const DeleteNotes = requireToolScopes(
  Tool.make("delete_notes", {
    description: "Throws all notes of the caller away",
    success: Schema.Struct({ deleted: Schema.Int }),
    dependencies: [CurrentIdentity]
  }),
  ["notes:delete"]
)

const Everyday = Toolkit.make(WhoAmI, AddNote)
const Destructive = Toolkit.make(DeleteNotes)

const EverydayHandlers = Everyday.toLayer(Effect.gen(function*() {
  const notes = yield* Notes
  return {
    whoami: () => Effect.map(CurrentIdentity, ({ scopes, subject }) => ({ subject, scopes })),
    add_note: ({ text }) => Effect.map(notes.mine, (mine) => ({ count: mine.push(text) }))
  }
}))

const DestructiveHandlers = Destructive.toLayer(
  Effect.map(Notes, (notes) => ({
    delete_notes: () => Effect.map(notes.mine, (mine) => ({ deleted: mine.splice(0).length }))
  }))
)

const OnlyWithScope = McpServer.visibility(() =>
  Effect.map(CurrentIdentity, ({ scopes }) => scopes.includes("notes:delete"))
)

const AllNotes = Layer.unwrap(Effect.map(Notes, (notes) =>
  McpServer.resource({
    uri: "notes://mine",
    name: "My notes",
    mimeType: "text/plain",
    content: Effect.map(notes.mine, (mine) => mine.join("\n"))
  })))

const Greeting = McpServer.prompt({
  name: "greeting",
  description: "A greeting for the caller",
  content: () => Effect.map(CurrentIdentity, ({ name, subject }) => `Greet ${name ?? subject} kindly.`)
})

const Registrations = Layer.mergeAll(
  McpServer.toolkit(Everyday).pipe(Layer.provide(EverydayHandlers)),
  McpServer.toolkit(Destructive).pipe(Layer.provide([OnlyWithScope.layer, DestructiveHandlers])),
  AllNotes,
  Greeting
).pipe(Layer.provide(Notes.layer))

/** The server without protection. It cannot be served like this, because its handlers use the caller. */
export const unprotected = {
  name: "notes",
  version: "1.0.0",
  path: "/mcp",
  protocols: [McpProtocol.v2026_07_28, McpProtocol.v2025_11_25],
  registrations: Registrations
} as const

/** The tools of these toolkits declare the scopes that a call needs. */
export const Authenticated = Authentication.layerToolkit(Everyday, Destructive)

/** One long-lived server, for clients of both eras. */
export const Server = McpServer.layerHttp({
  ...unprotected,
  allowSessionTermination: true
}).pipe(Layer.provide(Authenticated))

/** The same for hosts that run each request separately, such as Workers. */
export const RequestScopedServer = McpServer.layerHttpRequestScoped({
  ...unprotected,
  protocols: [McpProtocol.v2026_07_28]
}).pipe(Layer.provide(Authenticated), Layer.provide(McpServer.McpServer.layer))

/** The requirements of both: settings from the environment, and the verifier for them. */
export const Verification = layerVerifier.pipe(Layer.provideMerge(GatewayConfig.layerFromConfig))

/** The server as a web handler. */
export const toWebHandler = () => HttpRouter.toWebHandler(Server.pipe(Layer.provide(Verification)))
