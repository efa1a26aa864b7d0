/**
 * One JSON-RPC message of a client: every `_authContext` is removed, ours is added to `initialize`, and a message that
 * parsers could read differently is rejected.
 */
import type { InvalidRequest } from "../errors/GatewayError.ts"
import { type KnownName, knownName, matchName, type NameMatch } from "./json/memberName.ts"
import type { MessageOutput } from "./json/messageOutput.ts"
import { type RequestId, requestId, type ScalarPlace, stringValue } from "./json/scalarValue.ts"
import type { JsonScanner, JsonToken } from "./json/scanJson.ts"
import { joinBytes } from "./json/spliceBytes.ts"
import { reject } from "./reject.ts"
import type { RequestRules } from "./requestRules.ts"

/** A member that gives a message its meaning, and its bit in the set of members seen. */
interface DecidingName {
  readonly name: string
  readonly bit: number
  readonly known: KnownName
}

const decidingNames = (names: ReadonlyArray<string>): ReadonlyArray<DecidingName> =>
  names.map((name, index) => ({ name, bit: 1 << index, known: knownName(name) }))

/** The members that give a message its meaning. A repeated one, or one in another case, is ambiguous. */
const namesOfMessage = decidingNames(["jsonrpc", "id", "method", "params"])

/** The members that policies decide by. A repeated one, in any case, is ambiguous. */
const namesOfParams = decidingNames(["name", "arguments", "uri"])

const authContextName = knownName("_authContext")
const initialize = knownName("initialize")
const toolsCall = knownName("tools/call")
const listen = knownName("subscriptions/listen")

const encoder = new TextEncoder()
const comma = encoder.encode(",")
const authContextStart = encoder.encode(`"_authContext":`)
const paramsStart = encoder.encode(`,"params":{"_authContext":`)
const paramsEnd = encoder.encode("}")

/**
 * Reads a message along with a `JsonScanner`, and writes it to a `MessageOutput`.
 *
 * Tell it of every `Name` (`name`), of the beginning of every value not deeper than `depth + 1` (`value`), and of every
 * closing brace at `depth` (`closeMember`) and that of the message itself (`end`). They return the rejection, if any.
 */
export class ClientMessage {
  /** The depth of the message's names. */
  readonly depth: number
  method: "Unknown" | "Initialize" | "ToolsCall" | "Listen" | "Other" = "Unknown"

  private readonly scanner: JsonScanner
  private readonly output: MessageOutput
  private readonly rules: RequestRules
  private readonly isInBatch: boolean
  private params: "Absent" | "Object" | "Other" = "Absent"
  /** Whether `params` keeps a member, so that a member added after it needs a comma. */
  private paramsKeepMember = false
  /** Whether our member's place in `params` was passed before the method was known. */
  private awaitsMethod = false
  private seen = 0
  private seenInParams = 0
  /** The member whose value is being read, if it gives the message its meaning. */
  private member: string | undefined = undefined
  /** Whether the value being read is that of `params.name`. */
  private inParamsName = false
  /** The id and `params.name`: where they stand or, since the scanner has left those bytes, what they are. */
  private idPlace: ScalarPlace | undefined = undefined
  private idValue: RequestId | undefined = undefined
  private toolPlace: ScalarPlace | undefined = undefined
  private toolName: string | undefined = undefined
  private toolIsLong = false

  constructor(scanner: JsonScanner, output: MessageOutput, rules: RequestRules, isInBatch: boolean) {
    this.scanner = scanner
    this.output = output
    this.rules = rules
    this.isInBatch = isInBatch
    this.depth = isInBatch ? 2 : 1
  }

  /** The `id`; `undefined` without one, and for one that JSON-RPC does not allow or that exceeds `maxTokenBytes`. */
  get id(): RequestId | undefined {
    return this.idPlace === undefined ? this.idValue : requestId(this.scanner.bytes, this.idPlace)
  }

  /** The tool that a `tools/call` names; `undefined` for every other method, and where there is no name. */
  get tool(): string | undefined {
    if (this.method !== "ToolsCall") return undefined
    return this.toolPlace === undefined ? this.toolName : stringValue(this.scanner.bytes, this.toolPlace)
  }

  /** The scanner is about to leave its bytes. */
  detach(): void {
    if (this.idPlace !== undefined) {
      if (this.method === "Unknown" || this.method === "Initialize") this.idValue = this.id
      this.idPlace = undefined
    }
    if (this.toolPlace !== undefined) {
      if (this.method === "Unknown" || this.method === "ToolsCall") {
        this.toolName = stringValue(this.scanner.bytes, this.toolPlace)
      }
      this.toolPlace = undefined
    }
  }

  name(): InvalidRequest | undefined {
    const { depth, output, scanner } = this
    if (scanner.depth === depth) this.member = undefined
    if (scanner.depth <= depth + 1) this.inParamsName = false
    if (this.match(authContextName) !== "None") return output.cut() ? undefined : repeated("_authContext")
    output.keep()
    if (scanner.depth === depth) return this.nameOfMessage()
    // A name this deep stands directly in `params` only if that is an object: an array puts one more level in between.
    return scanner.depth === depth + 1 && this.member === "params" ? this.nameOfParams() : undefined
  }

  value(token: JsonToken): InvalidRequest | undefined {
    const { scanner } = this
    if (scanner.depth !== this.depth) {
      if (this.inParamsName && token === "String") {
        this.toolIsLong = scanner.long
        if (!scanner.long && this.rules.ignoreTools !== true) this.toolPlace = this.place(token)
      }
      return undefined
    }
    switch (this.member) {
      case "method":
        return this.readMethod(token)
      case "id":
        if (!scanner.long || token === "Literal") this.idPlace = this.place(token)
        return undefined
      case "params":
        this.params = token === "OpenObject" ? "Object" : "Other"
        return this.method === "Initialize" ? this.rejectOtherParams() : undefined
      default:
        return undefined
    }
  }

  closeMember(): void {
    const { output, rules, scanner } = this
    if (this.member !== "params" || this.isInBatch || rules.authContext === undefined) return
    if (this.method === "Unknown") {
      this.awaitsMethod = true
      output.hold(scanner.start)
    } else if (this.method === "Initialize") {
      output.insert(scanner.start, this.insertion(rules.authContext()))
    }
  }

  end(): InvalidRequest | undefined {
    const { output, rules, scanner } = this
    if (this.awaitsMethod) output.release(undefined)
    if (this.method === "ToolsCall" && this.toolIsLong) {
      return reject("MalformedMessage", "the name of a tool is too long")
    }
    if (this.method === "Initialize" && this.params === "Absent" && rules.authContext !== undefined) {
      // The comma is needed: the message has a method.
      output.insert(scanner.start, joinBytes([paramsStart, rules.authContext(), paramsEnd]))
    }
    return undefined
  }

  private nameOfMessage(): InvalidRequest | undefined {
    for (const { bit, known, name } of namesOfMessage) {
      const match = this.match(known)
      if (match === "None") continue
      if (match === "Variant" || (this.seen & bit) !== 0) return repeated(name)
      this.seen |= bit
      this.member = name
      break
    }
    return undefined
  }

  private nameOfParams(): InvalidRequest | undefined {
    this.paramsKeepMember = true
    for (const { bit, known, name } of namesOfParams) {
      if (this.match(known) === "None") continue
      if ((this.seenInParams & bit) !== 0) return repeated(name)
      this.seenInParams |= bit
      // In any case: some servers would read it as the name.
      this.inParamsName = name === "name"
      break
    }
    return undefined
  }

  private readMethod(token: JsonToken): InvalidRequest | undefined {
    const { rules, scanner } = this
    // Some parsers drop half a surrogate pair, or end a string at U+0000: they could find another method here.
    if (token !== "String" || scanner.loneSurrogate || scanner.nul) {
      return reject("MalformedMessage", "the method is no string, or has what is no character")
    }
    this.method = this.matchValue(initialize)
      ? "Initialize"
      : this.matchValue(toolsCall)
      ? "ToolsCall"
      : this.matchValue(listen)
      ? "Listen"
      : "Other"
    const { authContext } = rules
    if (this.method !== "Initialize") {
      if (this.awaitsMethod) this.release(undefined)
      return undefined
    }
    // MCP allows `initialize` only outside of a batch.
    if (this.isInBatch) return reject("AmbiguousMessage", "initialize inside a batch")
    if (this.awaitsMethod && authContext !== undefined) this.release(this.insertion(authContext()))
    return this.rejectOtherParams()
  }

  private release(insertion: Uint8Array | undefined): void {
    this.awaitsMethod = false
    this.output.release(insertion)
  }

  private rejectOtherParams(): InvalidRequest | undefined {
    return this.params === "Other" ? reject("MalformedMessage", "params of initialize is no object") : undefined
  }

  /** Our member, the last one in `params`. */
  private insertion(authContext: Uint8Array): Uint8Array {
    return joinBytes(this.paramsKeepMember ? [comma, authContextStart, authContext] : [authContextStart, authContext])
  }

  private match(known: KnownName): NameMatch {
    const { scanner } = this
    return matchName(scanner.bytes, scanner, known)
  }

  /** Whether the string that was just read is this text. */
  private matchValue(known: KnownName): boolean {
    return !this.scanner.long && this.match(known) === "Exact"
  }

  private place(token: JsonToken): ScalarPlace {
    const { end, plain, start } = this.scanner
    return { token, start, end, plain }
  }
}

const repeated = (name: string): InvalidRequest => reject("AmbiguousMessage", `${name} is repeated or in another case`)
