/** Adds the caller to the response to `initialize`, as `result.serverInfo.authInfo`. */
import { knownName, matchName } from "./json/memberName.ts"
import { MessageOutput } from "./json/messageOutput.ts"
import { type RequestId, requestId } from "./json/scalarValue.ts"
import { JsonScanner, maxMessageDepth } from "./json/scanJson.ts"
import { joinBytes } from "./json/spliceBytes.ts"

const idName = knownName("id")
const resultName = knownName("result")
const serverInfoName = knownName("serverInfo")
const authInfoName = knownName("authInfo")

const encoder = new TextEncoder()
const authInfoStart = encoder.encode(`"authInfo":`)
const comma = encoder.encode(",")

/**
 * Sets `result.serverInfo.authInfo` in the response to the `initialize` request with this id.
 *
 * `authInfo` is serialised JSON, and replaces a value of the server. In all other cases (an error, another message or
 * id, a batch, repeated members or non-objects on the path, invalid JSON, nesting deeper than 256) the same instance is
 * returned: the MCP server is trusted, so nothing is rejected. Never fails.
 */
export const injectAuthInfo = (bytes: Uint8Array, authInfo: Uint8Array, id: RequestId): Uint8Array => {
  const reader = new ResponseReader(bytes, authInfo, id)
  return reader.read() ? reader.output.whole() : bytes
}

/** Reads a response down to `serverInfo`. Each method returns `false` if the response must not be changed. */
class ResponseReader {
  readonly output: MessageOutput

  private serverInfoSeen = false
  private readonly bytes: Uint8Array
  private readonly scanner: JsonScanner
  private readonly authInfo: Uint8Array
  private readonly id: RequestId

  constructor(bytes: Uint8Array, authInfo: Uint8Array, id: RequestId) {
    this.bytes = bytes
    this.authInfo = authInfo
    // Deeper responses are forwarded unchanged.
    this.scanner = new JsonScanner(bytes, maxMessageDepth)
    this.output = new MessageOutput(this.scanner)
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
        if (idSeen || this.responseId() !== this.id) return false
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
        if (this.serverInfoSeen || scanner.next() !== "OpenObject" || !this.serverInfo()) return false
      } else if (!this.skipValue()) {
        return false
      }
    }
    return token === "CloseObject" && this.serverInfoSeen
  }

  private serverInfo(): boolean {
    const { authInfo, bytes, output, scanner } = this
    this.serverInfoSeen = true
    output.hold(scanner.end)
    // Whether the object has a member already, so that a member added before it needs a comma.
    let keepsMember = false
    let token = scanner.next()
    for (; token === "Name"; token = scanner.next()) {
      if (matchName(bytes, scanner, authInfoName) === "None") {
        output.keep()
        keepsMember = true
      } else {
        output.cut()
      }
      if (!this.skipValue()) return false
      output.endValue()
    }
    output.close()
    output.release(joinBytes(keepsMember ? [authInfoStart, authInfo, comma] : [authInfoStart, authInfo]))
    return token === "CloseObject"
  }

  private responseId(): RequestId | undefined {
    const { bytes, scanner } = this
    const token = scanner.next()
    const { end, plain, start } = scanner
    return requestId(bytes, { token, start, end, plain })
  }

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
