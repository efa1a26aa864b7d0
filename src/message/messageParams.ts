/** The parts of a message's `params` that name its subject. */
import * as Result from "effect/Result"
import type { InvalidRequest } from "../errors/GatewayError.ts"
import { type KnownName, knownName, matchName } from "./json/memberName.ts"
import type { JsonScanner, JsonToken } from "./json/scanJson.ts"
import { KeptString } from "./keptString.ts"
import { type FieldText, versionMember } from "./mirrors.ts"
import { type NamedMethod, type SubjectMember, toolsCall } from "./namedMethods.ts"
import type { ParamMirror } from "./paramMirror.ts"
import { reject, repeated } from "./reject.ts"

/** A member that decisions depend on, and its bit in the set of members seen. */
interface DecidingName {
  readonly name: SubjectMember | "arguments" | "_meta"
  readonly bit: number
  readonly known: KnownName
}

/** The members that policies and servers decide by. If one is repeated, in any case, the message is ambiguous. */
const decidingNames: ReadonlyArray<DecidingName> = (["name", "arguments", "uri", "taskId", "_meta"] as const).map(
  (name, index) => ({ name, bit: 1 << index, known: knownName(name) })
)

const version = knownName(versionMember)

const absent: FieldText = Result.succeed(undefined)
const otherType: FieldText = Result.fail(`${versionMember} is no string, or not one that can be a revision`)

/** Reads `params` along with a `JsonScanner`, as `ClientMessage` reads the message around it. */
export class MessageParams {
  /** Values deeper than this have no meaning for the message. */
  reads: number
  /** Whether `params` has a member already, so that a member added after it needs a comma. */
  keepsMember = false

  private readonly scanner: JsonScanner
  /** The depth of the names in `params`, if it is an object. */
  private readonly depth: number
  private readonly mirror: ParamMirror | undefined
  /** The members seen, and those seen in another case. */
  private seen = 0
  private variants = 0
  private member: DecidingName | undefined = undefined
  private subjects: Map<SubjectMember, KeptString> | undefined = undefined
  private versionSeen = false
  private inVersion = false
  private version: KeptString | undefined = undefined

  constructor(scanner: JsonScanner, depth: number, mirror: ParamMirror | undefined) {
    this.scanner = scanner
    this.depth = depth
    this.mirror = mirror
    this.reads = depth
  }

  get revision(): FieldText {
    if (this.version === undefined) return absent
    const text = this.version.text(this.scanner.bytes)
    return text === undefined || this.version.isUnclear ? otherType : Result.succeed(text)
  }

  /** The problem of a field that repeats an argument. */
  get wrongParam(): string | undefined {
    return this.mirror?.wrong
  }

  subject({ subject }: NamedMethod): string | undefined {
    return subject === undefined ? undefined : this.subjects?.get(subject)?.text(this.scanner.bytes)
  }

  /** Called before the scanner discards its bytes. */
  detach(): void {
    const { bytes } = this.scanner
    this.version?.detach(bytes)
    if (this.subjects !== undefined) { for (const subject of this.subjects.values()) subject.detach(bytes) }
  }

  /** Takes the name of a member of `params`, or of a deeper one. */
  name(): InvalidRequest | undefined {
    const { depth, member, mirror, scanner } = this
    if (scanner.depth === depth) return this.ownName()
    if (member === undefined || this.reads === depth) return undefined
    if (member.name === "arguments") mirror?.name()
    else if (scanner.depth === depth + 1) return this.nameOfMeta()
    return undefined
  }

  /** Takes the name of a member that is cut. */
  cutName(): void {
    if (this.scanner.depth <= this.depth) this.endMember()
    this.inVersion = false
    this.mirror?.cutName()
  }

  /** Takes the beginning of a value in `params`, no deeper than `reads`. */
  value(token: JsonToken): void {
    const { depth, member, mirror, scanner } = this
    if (member === undefined) return
    if (scanner.depth > depth) {
      if (member.name === "arguments") mirror?.value(token)
      else if (this.inVersion) this.version = new KeptString(scanner, token)
      return
    }
    switch (member.name) {
      case "_meta":
        // Only objects have names at this depth: in an array, objects are one level deeper.
        if (token === "OpenObject") this.reads = depth + 1
        return
      case "arguments":
        if (token === "OpenObject" && mirror !== undefined) this.reads = Number.POSITIVE_INFINITY
        return
      default:
        ;(this.subjects ??= new Map()).set(member.name, new KeptString(scanner, token))
    }
  }

  /** Returns the rejection of a message that servers could understand to have different subjects. */
  requireSubject(method: NamedMethod): InvalidRequest | undefined {
    const { name, requiresSubject, subject } = method
    if (subject === undefined || !requiresSubject) return undefined
    if (this.hasVariant(subject)) return repeated(subject)
    if (subject === "name" && this.hasVariant("arguments")) return repeated("arguments")
    const value = this.subjects?.get(subject)
    // Not rejected here: without the member, every server responds with an error of the protocol.
    if (value === undefined) return undefined
    if (!value.isString) return reject("MalformedMessage", `the ${subject} of ${name} is not a string`)
    if (value.isUnclear) return reject("MalformedMessage", `the ${subject} has what is no character`)
    return value.isLong && method === toolsCall
      ? reject("MalformedMessage", "the name of a tool is too long")
      : undefined
  }

  private ownName(): InvalidRequest | undefined {
    this.keepsMember = true
    this.endMember()
    for (const candidate of decidingNames) {
      const { bit, known, name } = candidate
      const match = this.match(known)
      if (match === "None") continue
      if ((this.seen & bit) !== 0 || (match === "Variant" && name === "_meta")) return repeated(name)
      this.seen |= bit
      if (match === "Variant") this.variants |= bit
      this.member = candidate
      break
    }
    return undefined
  }

  private nameOfMeta(): InvalidRequest | undefined {
    const match = this.match(version)
    this.inVersion = match !== "None"
    if (match === "Variant" || (this.inVersion && this.versionSeen)) return repeated(versionMember)
    if (this.inVersion) this.versionSeen = true
    return undefined
  }

  private endMember(): void {
    this.member = undefined
    this.inVersion = false
    this.reads = this.depth
  }

  private hasVariant(wanted: DecidingName["name"]): boolean {
    return decidingNames.some(({ bit, name }) => name === wanted && (this.variants & bit) !== 0)
  }

  private match(known: KnownName) {
    return matchName(this.scanner.bytes, this.scanner, known)
  }
}
