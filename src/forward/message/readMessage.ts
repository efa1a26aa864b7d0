/** Reads one JSON-RPC message of a client, cuts `_authContext` out of it and refuses what parsers could differ about. */
import * as Result from "effect/Result"
import { InvalidRequest, type InvalidRequestReason } from "../../errors/GatewayError.ts"
import type { MemberCuts } from "./memberCuts.ts"
import { knownName, matchName } from "./memberName.ts"
import { type RequestId, requestId, type StringPlace, stringValue } from "./scalarValue.ts"
import type { JsonScanner, JsonToken } from "./scanJson.ts"

export interface ClientMessage {
  /** `undefined` for an answer. */
  readonly method: string | undefined
  /** `undefined` without an id, and for an id that JSON-RPC does not allow. */
  readonly id: RequestId | undefined
  /** Just inside the opening brace of the message. */
  readonly inside: number
  readonly params: "Absent" | "Object" | "Other"
  /** Just inside the opening brace of `params`, where that is an object. */
  readonly insideParams: number
  /** Whether `params` keeps a member, so that one put before it needs a comma. */
  readonly paramsKeepMember: boolean
  /** The tool that a `tools/call` names; `undefined` for every other method, and where there is no name. */
  readonly tool: string | undefined
}

const authContext = knownName("_authContext")

/** What a message is understood by. Two of one, or one in another case, are ambiguous. */
const namesOfMessage = ["jsonrpc", "id", "method", "params"] as const
const knownOfMessage = namesOfMessage.map((name, index) => ({ name, bit: 1 << index, known: knownName(name) }))

/** What policies decide by. Two of one, in whatever case, are ambiguous. */
const namesOfParams = ["name", "arguments", "uri"] as const
const knownOfParams = namesOfParams.map((name, index) => ({ name, bit: 1 << index, known: knownName(name) }))

/** A refusal of the message; `detail` is for the log and holds nothing that the client sent. */
export const refuse = (reason: InvalidRequestReason, detail: string): Result.Result<never, InvalidRequest> =>
  Result.fail(new InvalidRequest({ reason, detail }))

/** The refusal for a token that cannot stand where a message, or the end of one, must. */
export const refuseToken = (token: JsonToken): Result.Result<never, InvalidRequest> => {
  switch (token) {
    case "TooDeep":
      return refuse("MessageTooDeep", "objects and arrays are nested too deeply")
    case "Malformed":
      return refuse("MalformedMessage", "not JSON in UTF-8")
    default:
      return refuse("MalformedMessage", "neither a JSON object nor an array of objects")
  }
}

/**
 * Reads the message whose opening brace the scanner has just passed, up to and including its closing brace.
 *
 * Fails with `InvalidRequest`: `MalformedMessage`, `AmbiguousMessage` or `MessageTooDeep`.
 */
export const readMessage = (
  bytes: Uint8Array,
  scanner: JsonScanner,
  cuts: MemberCuts
): Result.Result<ClientMessage, InvalidRequest> => {
  const reader = new MessageReader(bytes, scanner, cuts)
  for (;;) {
    const token = scanner.next()
    switch (token) {
      case "Malformed":
      case "TooDeep":
      case "End":
        return refuseToken(token)
      case "Name": {
        const repeated = reader.name()
        if (repeated !== undefined) return refuse("AmbiguousMessage", `${repeated} is repeated or in another case`)
        break
      }
      case "CloseArray":
        break
      case "CloseObject":
        cuts.close(scanner)
        if (scanner.depth < reader.depth) return Result.succeed(reader)
        break
      default:
        if (!reader.value(token)) {
          return refuse("MalformedMessage", "the method is no string, or has what is no character")
        }
    }
  }
}

class MessageReader implements ClientMessage {
  method: string | undefined = undefined
  id: RequestId | undefined = undefined
  readonly inside: number
  params: "Absent" | "Object" | "Other" = "Absent"
  insideParams = 0
  paramsKeepMember = false
  /** The depth of the message's names. */
  readonly depth: number

  private readonly bytes: Uint8Array
  private readonly scanner: JsonScanner
  private readonly cuts: MemberCuts
  private seen = 0
  private seenInParams = 0
  /** The member whose value is being read, if it is one that the message is understood by. */
  private member: typeof namesOfMessage[number] | undefined = undefined
  /** Whether the value being read is that of `params.name`, and where the last one stands. */
  private inParamsName = false
  private paramsName: StringPlace | undefined = undefined

  constructor(bytes: Uint8Array, scanner: JsonScanner, cuts: MemberCuts) {
    this.bytes = bytes
    this.scanner = scanner
    this.cuts = cuts
    this.inside = scanner.end
    this.depth = scanner.depth + 1
  }

  get tool(): string | undefined {
    return this.method === "tools/call" && this.paramsName !== undefined
      ? stringValue(this.bytes, this.paramsName)
      : undefined
  }

  /** Takes note of the name that the scanner has just passed; returns it if it makes the message ambiguous. */
  name(): string | undefined {
    const { bytes, depth, scanner } = this
    if (scanner.depth === depth) this.member = undefined
    if (scanner.depth <= depth + 1) this.inParamsName = false
    if (matchName(bytes, scanner, authContext) !== "None") {
      return this.cuts.cut(scanner) ? undefined : "_authContext"
    }
    this.cuts.keep(scanner)
    if (scanner.depth === depth) return this.nameOfMessage()
    // A name this deep stands directly in `params` only if that is an object: an array puts one more level in between.
    return scanner.depth === depth + 1 && this.member === "params" ? this.nameOfParams() : undefined
  }

  private nameOfMessage(): string | undefined {
    for (const { bit, known, name } of knownOfMessage) {
      const match = matchName(this.bytes, this.scanner, known)
      if (match === "None") continue
      if (match === "Variant" || (this.seen & bit) !== 0) return name
      this.seen |= bit
      this.member = name
    }
    return undefined
  }

  private nameOfParams(): string | undefined {
    this.paramsKeepMember = true
    for (const { bit, known, name } of knownOfParams) {
      if (matchName(this.bytes, this.scanner, known) === "None") continue
      if ((this.seenInParams & bit) !== 0) return name
      this.seenInParams |= bit
      // In whatever case: some servers would take it for the name.
      this.inParamsName = name === "name"
    }
    return undefined
  }

  /** Takes note of a value that begins with `token`; `false` if it is a method that cannot be one. */
  value(token: JsonToken): boolean {
    const { bytes, scanner } = this
    if (this.inParamsName && token === "String" && scanner.depth === this.depth + 1) {
      this.paramsName = { start: scanner.start, end: scanner.end, plain: scanner.plain }
    }
    if (scanner.depth !== this.depth) return true
    switch (this.member) {
      case "method":
        // Some parsers drop half a surrogate pair, or end a string at U+0000: they could find another method here.
        if (token !== "String" || scanner.loneSurrogate) return false
        this.method = stringValue(bytes, scanner)
        return scanner.plain || !this.method.includes("\u0000")
      case "id":
        this.id = requestId(bytes, scanner, token)
        return true
      case "params":
        this.params = token === "OpenObject" ? "Object" : "Other"
        this.insideParams = scanner.end
        return true
      default:
        return true
    }
  }
}
