/** The methods of MCP whose messages have a named subject. */
import { type KnownName, knownName } from "./json/memberName.ts"

/** A member of `params` that names the subject of a message. */
export type SubjectMember = "name" | "uri" | "taskId"

/** A method by which a message gets its meaning. */
export interface NamedMethod {
  readonly name: string
  readonly known: KnownName
  /** The member that names what the message is about; `undefined` where it is about nothing that has a name. */
  readonly subject: SubjectMember | undefined
  /** Whether that member has the same meaning to every server. */
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
  // Methods of an extension, which may define them differently.
  method("tasks/get", "taskId", false),
  method("tasks/update", "taskId", false),
  method("tasks/cancel", "taskId", false)
]
