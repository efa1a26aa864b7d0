/** What the gateway does to the answer to `initialize`: it puts the caller into `result.serverInfo.authInfo`. */
import { MemberCuts } from "./memberCuts.ts"
import { knownName, matchName } from "./memberName.ts"
import { type RequestId, requestId } from "./scalarValue.ts"
import { JsonScanner, maxMessageDepth } from "./scanJson.ts"
import { joinBytes, spliceBytes } from "./spliceBytes.ts"

const idName = knownName("id")
const resultName = knownName("result")
const serverInfoName = knownName("serverInfo")
const authInfoName = knownName("authInfo")

const encoder = new TextEncoder()
const authInfoStart = encoder.encode(`"authInfo":`)
const comma = encoder.encode(",")

/**
 * Sets `result.serverInfo.authInfo` in the answer to the `initialize` request that had this id.
 *
 * `authInfo` is serialised JSON; it replaces what the server put there. Anything else (an error, another message or
 * id, a batch, members on the way that are repeated or no objects, what is not JSON or nested deeper than 256) is
 * returned as the instance it is: the server behind is trusted, so there is nothing to refuse. Never fails.
 */
export const injectAuthInfo = (bytes: Uint8Array, authInfo: Uint8Array, id: RequestId): Uint8Array => {
  const reader = new AnswerReader(bytes, id)
  if (!reader.read()) return bytes
  const { cuts, insideServerInfo: at, keepsMember } = reader
  const insert = joinBytes([authInfoStart, authInfo, ...(keepsMember ? [comma] : [])])
  return spliceBytes(bytes, [{ start: at, end: at, insert }, ...cuts.splices])
}

/** Reads an answer down to `serverInfo`. Each method is `false` where the answer is not the one to change. */
class AnswerReader {
  /** The existing `authInfo` members. */
  readonly cuts = new MemberCuts()
  /** Just inside the opening brace of `serverInfo`; -1 before that was found. */
  insideServerInfo = -1
  /** Whether `serverInfo` keeps a member, so that one put before it needs a comma. */
  keepsMember = false

  private readonly bytes: Uint8Array
  private readonly scanner: JsonScanner
  private readonly id: RequestId

  constructor(bytes: Uint8Array, id: RequestId) {
    this.bytes = bytes
    // Deeper answers are passed on as they are.
    this.scanner = new JsonScanner(bytes, maxMessageDepth)
    this.id = id
  }

  read(): boolean {
    return this.scanner.next() === "OpenObject" && this.message() && this.scanner.next() === "End"
  }

  private message(): boolean {
    const { bytes, scanner } = this
    let idSeen = false
    let resultSeen = false
    let token = scanner.next()
    for (; token === "Name"; token = scanner.next()) {
      if (matchName(bytes, scanner, idName) === "Exact") {
        if (idSeen || requestId(bytes, scanner, scanner.next()) !== this.id) return false
        idSeen = true
      } else if (matchName(bytes, scanner, resultName) === "Exact") {
        if (resultSeen || scanner.next() !== "OpenObject" || !this.result()) return false
        resultSeen = true
      } else if (!this.skipValue()) {
        return false
      }
    }
    return token === "CloseObject" && idSeen && resultSeen
  }

  private result(): boolean {
    const { bytes, scanner } = this
    let token = scanner.next()
    for (; token === "Name"; token = scanner.next()) {
      if (matchName(bytes, scanner, serverInfoName) === "Exact") {
        if (this.insideServerInfo >= 0 || scanner.next() !== "OpenObject" || !this.serverInfo()) return false
      } else if (!this.skipValue()) {
        return false
      }
    }
    return token === "CloseObject" && this.insideServerInfo >= 0
  }

  private serverInfo(): boolean {
    const { bytes, cuts, scanner } = this
    this.insideServerInfo = scanner.end
    let token = scanner.next()
    for (; token === "Name"; token = scanner.next()) {
      if (matchName(bytes, scanner, authInfoName) === "None") {
        cuts.keep(scanner)
        this.keepsMember = true
      } else {
        cuts.cut(scanner)
      }
      if (!this.skipValue()) return false
    }
    cuts.close(scanner)
    return token === "CloseObject"
  }

  /** Passes over the value that comes next. */
  private skipValue(): boolean {
    const { scanner } = this
    let token = scanner.next()
    const { depth } = scanner
    while (scanner.depth > depth || token === "OpenObject" || token === "OpenArray") {
      token = scanner.next()
      if (token === "Malformed" || token === "TooDeep" || token === "End") return false
    }
    return token !== "Malformed" && token !== "TooDeep" && token !== "End"
  }
}
