/** The methods of MCP whose messages have a named subject. */
import { type KnownName, knownName } from "./json/memberName.ts"

/** A member of `params` that names the subject of a message. */
export type SubjectMember = "name" | "uri" | "taskId"

/** A method whose messages the gateway interprets. */
export interface NamedMethod {
  readonly name: string
  readonly known: KnownName
  /** The member that names the subject of the message; `undefined` if messages of this method have no subject. */
  readonly subject: SubjectMember | undefined
  /** Whether all servers interpret that member in the same way. */
  readonly requiresSubject: boolean
}

const method = (name: string, subject?: SubjectMember, requiresSubject = subject !== undefined): NamedMethod => ({
  name,
  known: knownName(name),
  subject,
  requiresSubject
})

export const initialize = method("initialize")
export const toolsCall = method("tools/call", "name")
export const listen = method("subscriptions/listen")

/** Every method that the gateway knows by its name. */
export const namedMethods: ReadonlyArray<NamedMethod> = [
  initialize,
  toolsCall,
  listen,
  method("prompts/get", "name"),
  method("resources/read", "uri"),
  method("resources/subscribe", "uri"),
  method("resources/unsubscribe", "uri"),
  // Methods of an extension, which other servers may define differently.
  method("tasks/get", "taskId", false),
  method("tasks/update", "taskId", false),
  method("tasks/cancel", "taskId", false)
]
