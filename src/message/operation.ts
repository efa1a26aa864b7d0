/** The operations that the JSON-RPC messages of a client request. Pure. */
import * as Result from "effect/Result"
import type { InvalidRequest } from "../errors/GatewayError.ts"
import type { Json } from "../identity/Json.ts"
import { foldedName } from "./json/foldedName.ts"
import { readValue } from "./json/readValue.ts"
import { reject } from "./reject.ts"

export interface Subject {
  readonly kind: "tool" | "prompt" | "resource"
  /** The name of the tool or prompt, or the URI of the resource. */
  readonly name: string
}

/** A request or notification of a client. Responses to the server's requests are not operations. */
export interface Operation {
  readonly method: string
  /** What the message names; `undefined` for methods that name nothing. */
  readonly subject: Subject | undefined
  /** `params.arguments`, if there are any. */
  readonly arguments: Json | undefined
}

export interface OperationOptions {
  /** Whether rules use arguments. If so, two members of `arguments` that differ only in case are ambiguous, too. */
  readonly argumentsDecide: boolean
}

/** The maximum number of operations in a body, because each is decided separately. */
export const maxOperations = 1_000

type JsonObject = { readonly [member: string]: Json }

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

interface KnownNames {
  readonly exact: ReadonlySet<string>
  /** The same members, folded as lenient parsers compare them. */
  readonly byFolded: ReadonlyMap<string, string>
}

const known = (...names: ReadonlyArray<string>): KnownNames => ({
  exact: new Set(names),
  byFolded: new Map(names.map((name) => [foldedName(name), name]))
})

const namesOfMessage = known("jsonrpc", "id", "method", "params", "result", "error")
const namesOfParams = known("name", "arguments", "uri", "ref", "notifications")
const namesOfReference = known("type", "name", "uri")
const namesOfFilter = known("resourceSubscriptions")

/** Rejects an object with a member that only lenient parsers read as one of these names. */
const rejectVariants = (object: JsonObject, { byFolded, exact }: KnownNames): InvalidRequest | undefined => {
  for (const member of Object.keys(object)) {
    const name = exact.has(member) ? undefined : byFolded.get(foldedName(member))
    if (name !== undefined) return reject("AmbiguousMessage", `${name} is written in another case`)
  }
  return undefined
}

/** Returns whether lenient parsers read two members of one object in this value as the same. */
const foldsTogether = (value: Json): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (Array.isArray(value)) return value.some(foldsTogether)
  const names = Object.keys(value)
  return new Set(names.map(foldedName)).size < names.length || Object.values(value).some(foldsTogether)
}

// Some parsers drop a lone surrogate, or end a string at U+0000, and would find another name.
const isMisleading = (text: string): boolean => text.includes("\u0000") || /\p{Surrogate}/u.test(text)

type Read<A> = Result.Result<A, InvalidRequest>

const malformed = (detail: string) => Result.fail(reject("MalformedMessage", detail))

const tooMany = malformed("more messages or resources than are decided at a time")

const readText = (value: Json | undefined, what: string): Read<string> =>
  typeof value !== "string" || isMisleading(value)
    ? malformed(`${what} is not a string, or holds what is not a character`)
    : Result.succeed(value)

const readSubject = (kind: Subject["kind"], value: Json | undefined, what: string): Read<Subject> =>
  Result.map(readText(value, what), (name) => ({ kind, name }))

const nothingNamed: Read<ReadonlyArray<undefined>> = Result.succeed([undefined])

const one = (subject: Read<Subject>): Read<ReadonlyArray<Subject>> => Result.map(subject, (found) => [found])

/** The prompt or the resource template whose argument is to be completed. */
const readReference = (ref: Json | undefined): Read<ReadonlyArray<Subject | undefined>> => {
  if (!isObject(ref)) return malformed("the ref of completion/complete is not an object")
  const variant = rejectVariants(ref, namesOfReference)
  if (variant !== undefined) return Result.fail(variant)
  switch (ref["type"]) {
    case "ref/prompt":
      return one(readSubject("prompt", ref["name"], "the name of a prompt"))
    case "ref/resource":
      return one(readSubject("resource", ref["uri"], "the URI of a resource"))
    default:
      return nothingNamed
  }
}

/** The subjects of a stream of notifications. Each resource is decided separately, and so is the stream itself. */
const readFilter = (filter: Json | undefined): Read<ReadonlyArray<Subject | undefined>> => {
  if (filter === undefined) return nothingNamed
  if (!isObject(filter)) return malformed("the notifications of subscriptions/listen are not an object")
  const variant = rejectVariants(filter, namesOfFilter)
  if (variant !== undefined) return Result.fail(variant)
  const uris = filter["resourceSubscriptions"] ?? []
  if (!Array.isArray(uris)) return malformed("the resourceSubscriptions of subscriptions/listen are not an array")
  if (uris.length >= maxOperations) return tooMany
  return Result.map(
    Result.all((uris as ReadonlyArray<Json>).map((uri) => readSubject("resource", uri, "the URI of a resource"))),
    (subjects) => [undefined, ...subjects]
  )
}

/** The subjects of a message, by its method. A message without a subject is one operation. */
const readSubjects = (method: string, params: JsonObject): Read<ReadonlyArray<Subject | undefined>> => {
  switch (method) {
    case "tools/call":
      return one(readSubject("tool", params["name"], "the name of a tool"))
    case "prompts/get":
      return one(readSubject("prompt", params["name"], "the name of a prompt"))
    case "resources/read":
    case "resources/subscribe":
    case "resources/unsubscribe":
      return one(readSubject("resource", params["uri"], "the URI of a resource"))
    case "completion/complete":
      return readReference(params["ref"])
    case "subscriptions/listen":
      return readFilter(params["notifications"])
    default:
      return nothingNamed
  }
}

const nothing: ReadonlyArray<Operation> = []

const readMessage = (message: Json, { argumentsDecide }: OperationOptions): Read<ReadonlyArray<Operation>> => {
  if (!isObject(message)) return malformed("a message is not an object")
  const isResponse = Object.hasOwn(message, "result") || Object.hasOwn(message, "error")
  const { params = {} } = message
  const ambiguous = rejectVariants(message, namesOfMessage) ??
    (isObject(params) ? rejectVariants(params, namesOfParams) : undefined)
  if (ambiguous !== undefined) return Result.fail(ambiguous)
  if (!Object.hasOwn(message, "method")) {
    return isResponse ? Result.succeed(nothing) : malformed("a message is neither a request nor a response")
  }
  if (isResponse) return Result.fail(reject("AmbiguousMessage", "a message is a request and a response"))
  if (!isObject(params)) return malformed("the params of a message are not an object")
  const { arguments: given } = params
  if (argumentsDecide && given !== undefined && foldsTogether(given)) {
    return Result.fail(reject("AmbiguousMessage", "two arguments differ only in case"))
  }
  return Result.flatMap(
    readText(message["method"], "the method"),
    (method) =>
      Result.map(
        readSubjects(method, params),
        (subjects) => subjects.map((subject) => ({ method, subject, arguments: given }))
      )
  )
}

/**
 * Reads the operations of a body, in order: one for each request and notification.
 *
 * A `subscriptions/listen` has a further operation for each resource that it names. Fails with `InvalidRequest` if
 * parsers could read the body differently (`AmbiguousMessage`), if it is not a JSON-RPC message or a batch, or if the
 * name of a subject is not a string (`MalformedMessage`), and with `MessageTooDeep`.
 *
 * Source: JSON-RPC 2.0, sections 4 to 6; MCP 2025-11-25 and 2026-07-28, the requests of clients.
 */
export const readOperations = (
  bytes: Uint8Array,
  options: OperationOptions
): Result.Result<ReadonlyArray<Operation>, InvalidRequest> => {
  const body = readValue(bytes)
  if (Result.isFailure(body)) return Result.fail(body.failure)
  const messages: ReadonlyArray<Json> = Array.isArray(body.success) ? body.success : [body.success]
  if (messages.length === 0) return malformed("an empty batch")
  const operations: Array<Operation> = []
  for (const message of messages) {
    const read = readMessage(message, options)
    if (Result.isFailure(read)) return Result.fail(read.failure)
    if (operations.length + read.success.length > maxOperations) return tooMany
    operations.push(...read.success)
  }
  return Result.succeed(operations)
}
