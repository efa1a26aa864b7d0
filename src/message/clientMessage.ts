/**
 * One JSON-RPC message of a client. Every `_authContext` is removed, the gateway's own is added to `initialize`, and a
 * message that parsers could read in different ways is rejected.
 */
import type { InvalidRequest } from "../errors/GatewayError.ts"
import { type KnownName, knownName, matchName, type NameMatch } from "./json/memberName.ts"
import type { MessageOutput } from "./json/messageOutput.ts"
import { type RequestId, requestId, type ScalarPlace } from "./json/scalarValue.ts"
import type { JsonScanner, JsonToken } from "./json/scanJson.ts"
import { joinBytes } from "./json/spliceBytes.ts"
import { KeptString } from "./keptString.ts"
import { MessageParams } from "./messageParams.ts"
import type { FieldText, MirroredContent } from "./mirrors.ts"
import { initialize, type NamedMethod, namedMethods, toolsCall } from "./namedMethods.ts"
import { ParamMirror } from "./paramMirror.ts"
import { reject, repeated } from "./reject.ts"
import type { RequestRules } from "./requestRules.ts"

/** A member that determines the meaning of a message, and its bit in the set of members seen. */
interface DecidingName {
  readonly name: string
  readonly bit: number
  readonly known: KnownName
}

const idBit = 2

/**
 * The members that determine the meaning of a message. If one is repeated, or has another case, the message is
 * ambiguous.
 */
const decidingNames: ReadonlyArray<DecidingName> = ["jsonrpc", "id", "method", "params"].map(
  (name, index) => ({ name, bit: 1 << index, known: knownName(name) })
)

const authContextName = knownName("_authContext")

const encoder = new TextEncoder()
const comma = encoder.encode(",")
const authContextStart = encoder.encode(`"_authContext":`)
const paramsStart = encoder.encode(`,"params":{"_authContext":`)
const paramsEnd = encoder.encode("}")

/**
 * Reads a message along with a `JsonScanner`, and writes it to a `MessageOutput`.
 *
 * Call `name` for every `Name` that the scanner reports, `value` at the beginning of every value that is not deeper
 * than `reads`, `closeMember` for every closing brace at `depth`, and `end` for that of the message itself. They return
 * the rejection, if any.
 */
export class ClientMessage {
  readonly depth: number
  /** The method, if the gateway knows it; `undefined` until the message has named one. */
  method: NamedMethod | "Other" | undefined = undefined

  private readonly scanner: JsonScanner
  private readonly output: MessageOutput
  private readonly rules: RequestRules
  private readonly isInBatch: boolean
  private readonly params: MessageParams
  private paramsType: "Absent" | "Object" | "Other" = "Absent"
  /** Whether the position for `_authContext` in `params` was passed before the method was known. */
  private awaitsMethod = false
  private seen = 0
  /** The member whose value is being read, if it determines the meaning of the message. */
  private member: string | undefined = undefined
  /** The id: its position or, once the scanner has discarded those bytes, its value. */
  private idPlace: ScalarPlace | undefined = undefined
  private idValue: RequestId | undefined = undefined
  private methodText: KeptString | undefined = undefined

  constructor(scanner: JsonScanner, output: MessageOutput, rules: RequestRules, isInBatch: boolean) {
    const { mirrored } = rules
    this.scanner = scanner
    this.output = output
    this.rules = rules
    this.isInBatch = isInBatch
    this.depth = isInBatch ? 2 : 1
    const params = mirrored?.others?.params
    const mirror = params === undefined || params.size === 0 ? undefined : new ParamMirror(scanner, params)
    this.params = new MessageParams(scanner, this.depth + 1, mirror)
  }

  /** Values deeper than this have no meaning for the message. */
  get reads(): number {
    return this.params.reads
  }

  /** The `id`; `undefined` without one, and for one that JSON-RPC does not allow or that exceeds `maxTokenBytes`. */
  get id(): RequestId | undefined {
    return this.idPlace === undefined ? this.idValue : requestId(this.scanner.bytes, this.idPlace)
  }

  /** The tool that a `tools/call` names; `undefined` for every other method. */
  get tool(): string | undefined {
    return this.method === toolsCall && this.rules.ignoreTools !== true ? this.params.subject(toolsCall) : undefined
  }

  get revision(): FieldText {
    return this.params.revision
  }

  /** The name of the method; `undefined` if it is missing, too long, or not needed. */
  get methodName(): string | undefined {
    const { method, methodText, scanner } = this
    return typeof method === "object" ? method.name : methodText?.text(scanner.bytes)
  }

  /** The parts of the message that request fields must repeat. */
  get content(): MirroredContent {
    const { method, params } = this
    const named = typeof method === "object" ? method : undefined
    return {
      isBatch: this.isInBatch,
      id: this.id,
      hasId: (this.seen & idBit) !== 0,
      method: method === undefined ? undefined : this.methodName ?? "",
      hasSubject: named?.subject !== undefined,
      subject: named === undefined ? undefined : params.subject(named),
      version: params.revision,
      wrongParam: method === toolsCall ? params.wrongParam : undefined
    }
  }

  /** Called before the scanner discards its bytes. */
  detach(): void {
    this.idValue = this.id
    this.idPlace = undefined
    this.params.detach()
    this.methodText?.detach(this.scanner.bytes)
  }

  name(): InvalidRequest | undefined {
    const { depth, output, scanner } = this
    if (scanner.depth === depth) this.member = undefined
    if (this.match(authContextName) !== "None") {
      this.params.cutName()
      return output.cut() ? undefined : repeated("_authContext")
    }
    output.keep()
    if (scanner.depth === depth) return this.ownName()
    // Only an object as `params` has names at this depth: in an array, objects are one level deeper.
    return scanner.depth > depth && scanner.depth <= this.params.reads && this.member === "params"
      ? this.params.name()
      : undefined
  }

  value(token: JsonToken): InvalidRequest | undefined {
    const { scanner } = this
    if (scanner.depth !== this.depth) {
      if (this.member === "params") this.params.value(token)
      return undefined
    }
    switch (this.member) {
      case "method":
        return this.readMethod(token)
      case "id":
        if (!scanner.long || token === "Literal") this.idPlace = this.place(token)
        return undefined
      case "params":
        this.paramsType = token === "OpenObject" ? "Object" : "Other"
        return this.method === initialize ? this.rejectOtherParams() : undefined
      default:
        return undefined
    }
  }

  closeMember(): void {
    const { output, rules, scanner } = this
    if (this.member !== "params" || this.isInBatch || rules.authContext === undefined) return
    if (this.method === undefined) {
      this.awaitsMethod = true
      output.hold(scanner.start)
    } else if (this.method === initialize) {
      output.insert(scanner.start, this.insertion(rules.authContext()))
    }
  }

  end(): InvalidRequest | undefined {
    const { method, output, rules, scanner } = this
    if (this.awaitsMethod) output.release(undefined)
    if (method === initialize && this.paramsType === "Absent" && rules.authContext !== undefined) {
      // A comma is needed before it, because the message has a method.
      output.insert(scanner.start, joinBytes([paramsStart, rules.authContext(), paramsEnd]))
    }
    if (typeof method !== "object") return undefined
    return method.requiresSubject && this.paramsType === "Other"
      ? reject("MalformedMessage", `the params of ${method.name} are not an object`)
      : this.params.requireSubject(method)
  }

  private ownName(): InvalidRequest | undefined {
    for (const { bit, known, name } of decidingNames) {
      const match = this.match(known)
      if (match === "None") continue
      if (match === "Variant" || (this.seen & bit) !== 0) return repeated(name)
      this.seen |= bit
      this.member = name
      break
    }
    return undefined
  }

  private readMethod(token: JsonToken): InvalidRequest | undefined {
    const { rules, scanner } = this
    // Some parsers drop a lone surrogate, or end a string at U+0000, and could find another method here.
    if (token !== "String" || scanner.loneSurrogate || scanner.nul) {
      return reject("MalformedMessage", "the method is no string, or has what is no character")
    }
    this.method = this.knownMethod() ?? "Other"
    const keepsText = rules.mirrored !== undefined || rules.namesMethod === true
    if (keepsText && this.method === "Other") this.methodText = new KeptString(scanner, token)
    const { authContext } = rules
    if (this.method !== initialize) {
      if (this.awaitsMethod) this.release(undefined)
      return undefined
    }
    // MCP allows `initialize` only outside of a batch.
    if (this.isInBatch) return reject("AmbiguousMessage", "initialize inside a batch")
    if (this.awaitsMethod && authContext !== undefined) this.release(this.insertion(authContext()))
    return this.rejectOtherParams()
  }

  private knownMethod(): NamedMethod | undefined {
    const { scanner } = this
    // Compared as bytes: nearly all methods are written without escapes, and most of them differ in length.
    const length = scanner.plain ? scanner.end - scanner.start - 2 : undefined
    for (const method of namedMethods) {
      if ((length === undefined || method.name.length === length) && this.matchValue(method.known)) return method
    }
    return undefined
  }

  private release(insertion: Uint8Array | undefined): void {
    this.awaitsMethod = false
    this.output.release(insertion)
  }

  private rejectOtherParams(): InvalidRequest | undefined {
    return this.paramsType === "Other" ? reject("MalformedMessage", "params of initialize is no object") : undefined
  }

  /** Inserts the gateway's own member, as the last one in `params`. */
  private insertion(authContext: Uint8Array): Uint8Array {
    return joinBytes(this.params.keepsMember ? [comma, authContextStart, authContext] : [authContextStart, authContext])
  }

  private match(known: KnownName): NameMatch {
    const { scanner } = this
    return matchName(scanner.bytes, scanner, known)
  }

  /** Returns whether the last string is this text. */
  private matchValue(known: KnownName): boolean {
    return !this.scanner.long && this.match(known) === "Exact"
  }

  private place(token: JsonToken): ScalarPlace {
    const { end, plain, start } = this.scanner
    return { token, start, end, plain }
  }
}
