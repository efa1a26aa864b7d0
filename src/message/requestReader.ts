/** The body of a POST to the MCP server: one JSON-RPC message or a batch of them. */
import type { InvalidRequest } from "../errors/GatewayError.ts"
import { ClientMessage } from "./clientMessage.ts"
import { MessageOutput } from "./json/messageOutput.ts"
import type { JsonScanner, JsonToken } from "./json/scanJson.ts"
import { type MirroredContent, mustAgree } from "./mirrors.ts"
import { initialize, listen } from "./namedMethods.ts"
import { reject, rejectToken } from "./reject.ts"
import type { RequestRules, RequestSummary } from "./requestRules.ts"

const noTools: ReadonlyArray<string> = []

const batchAsks = { measured: { isBatch: true, method: undefined } } as const

/** Reads as much of a body as its scanner has, and rewrites it into `output`. */
export class RequestReader {
  readonly output: MessageOutput

  private readonly scanner: JsonScanner
  private readonly rules: RequestRules
  private message: ClientMessage
  private isBatch = false
  private isEmpty = true
  private toolsOfBatch: Set<string> | undefined = undefined
  private batchListens = false
  private batchContent: MirroredContent | undefined = undefined

  constructor(scanner: JsonScanner, rules: RequestRules) {
    this.scanner = scanner
    this.rules = rules
    this.output = new MessageOutput(scanner)
    this.message = new ClientMessage(scanner, this.output, rules, false)
  }

  /** Returns the summary, at the scanner's `End`. */
  summary(): RequestSummary {
    if (this.isBatch) {
      return {
        initializeId: undefined,
        listens: this.batchListens,
        tools: this.toolsOfBatch === undefined ? noTools : [...this.toolsOfBatch],
        content: this.batchContent,
        ...(this.rules.namesMethod === true ? batchAsks : undefined)
      }
    }
    const { message } = this
    const { tool } = message
    return {
      initializeId: message.method === initialize ? message.id : undefined,
      listens: message.method === listen,
      tools: tool === undefined ? noTools : [tool],
      content: this.contentOf(message),
      ...(this.rules.namesMethod === true ? { measured: { isBatch: false, method: message.methodName } } : undefined)
    }
  }

  /** Reads until the scanner's `More` or `End`, or returns the rejection. */
  read(): InvalidRequest | undefined {
    const { output, scanner } = this
    for (;;) {
      let rejected: InvalidRequest | undefined
      const token = scanner.next()
      const { message } = this
      switch (token) {
        case "Name":
          rejected = message.name()
          break
        case "String":
        case "Number":
        case "Literal":
          if (scanner.depth < message.depth) return rejectToken(token)
          if (scanner.depth <= message.reads) rejected = message.value(token)
          output.endValue()
          break
        case "OpenObject":
        case "OpenArray":
          if (scanner.depth < message.depth) rejected = this.begin(token)
          else if (scanner.depth <= message.reads) rejected = message.value(token)
          break
        case "CloseObject":
          output.close()
          if (scanner.depth < message.depth) rejected = this.endMessage()
          else if (scanner.depth === message.depth) message.closeMember()
          output.endValue()
          break
        case "CloseArray":
          if (scanner.depth === 0) rejected = this.endBatch()
          output.endValue()
          break
        case "More":
          message.detach()
          return undefined
        case "End":
          return undefined
        default:
          return rejectToken(token)
      }
      if (rejected !== undefined) return rejected
    }
  }

  private begin(token: JsonToken): InvalidRequest | undefined {
    const { output, rules, scanner } = this
    if (token === "OpenArray") {
      if (this.isBatch) return rejectToken(token)
      this.isBatch = true
    } else {
      this.isEmpty = false
    }
    if (this.isBatch) this.message = new ClientMessage(scanner, output, rules, true)
    return undefined
  }

  /** The parts of the message that fields must repeat, if they are collected. */
  private contentOf(message: ClientMessage): MirroredContent | undefined {
    const { mirrored } = this.rules
    return mirrored !== undefined && mustAgree(mirrored, message.revision) ? message.content : undefined
  }

  private endMessage(): InvalidRequest | undefined {
    const rejected = this.message.end()
    if (rejected !== undefined) return rejected
    if (this.isBatch) {
      const { method, tool } = this.message
      if (method === listen) this.batchListens = true
      this.batchContent ??= this.contentOf(this.message)
      if (tool !== undefined) (this.toolsOfBatch ??= new Set()).add(tool)
    } else {
      this.holdEnd()
    }
    return undefined
  }

  private endBatch(): InvalidRequest | undefined {
    if (this.isEmpty) return reject("MalformedMessage", "an empty batch")
    this.holdEnd()
    return undefined
  }

  /** Holds back the bytes that complete the body, until it is certain that nothing follows. */
  private holdEnd(): void {
    this.output.hold(this.scanner.start)
  }
}
