/** The body of a POST to the MCP server: one JSON-RPC message or a batch of them. */
import type { InvalidRequest } from "../errors/GatewayError.ts"
import { ClientMessage } from "./clientMessage.ts"
import { MessageOutput } from "./json/messageOutput.ts"
import type { JsonScanner, JsonToken } from "./json/scanJson.ts"
import { refuse, refuseToken } from "./refuse.ts"
import type { RequestRules, RequestSummary } from "./requestRules.ts"

const noTools: ReadonlyArray<string> = []

/** Reads a body as far as its scanner does, rewriting it into `output`. */
export class RequestReader {
  readonly output: MessageOutput

  private readonly scanner: JsonScanner
  private readonly rules: RequestRules
  private message: ClientMessage
  private isBatch = false
  private isEmpty = true
  /** The tools of a batch. */
  private toolsOfBatch: Set<string> | undefined = undefined
  private batchListens = false

  constructor(scanner: JsonScanner, rules: RequestRules) {
    this.scanner = scanner
    this.rules = rules
    this.output = new MessageOutput(scanner)
    this.message = new ClientMessage(scanner, this.output, rules, false)
  }

  /** What was learnt, at the scanner's `End`. */
  summary(): RequestSummary {
    if (this.isBatch) {
      return {
        initializeId: undefined,
        listens: this.batchListens,
        tools: this.toolsOfBatch === undefined ? noTools : [...this.toolsOfBatch]
      }
    }
    const { message } = this
    const { tool } = message
    return {
      initializeId: message.method === "Initialize" ? message.id : undefined,
      listens: message.method === "Listen",
      tools: tool === undefined ? noTools : [tool]
    }
  }

  /** Reads to the scanner's `More` or `End`; or returns what is refused. */
  read(): InvalidRequest | undefined {
    const { output, scanner } = this
    for (;;) {
      let refused: InvalidRequest | undefined
      const token = scanner.next()
      const { message } = this
      switch (token) {
        case "Name":
          refused = message.name()
          break
        case "String":
        case "Number":
        case "Literal":
          if (scanner.depth < message.depth) return refuseToken(token)
          if (scanner.depth <= message.depth + 1) refused = message.value(token)
          output.endValue()
          break
        case "OpenObject":
        case "OpenArray":
          if (scanner.depth < message.depth) refused = this.begin(token)
          else if (scanner.depth === message.depth) refused = message.value(token)
          break
        case "CloseObject":
          output.close()
          if (scanner.depth < message.depth) refused = this.endMessage()
          else if (scanner.depth === message.depth) message.closeMember()
          output.endValue()
          break
        case "CloseArray":
          if (scanner.depth === 0) refused = this.endBatch()
          output.endValue()
          break
        case "More":
          message.detach()
          return undefined
        case "End":
          return undefined
        default:
          return refuseToken(token)
      }
      if (refused !== undefined) return refused
    }
  }

  /** What opens outside of a message. */
  private begin(token: JsonToken): InvalidRequest | undefined {
    const { output, rules, scanner } = this
    if (token === "OpenArray") {
      if (this.isBatch) return refuseToken(token)
      this.isBatch = true
    } else {
      this.isEmpty = false
    }
    if (this.isBatch) this.message = new ClientMessage(scanner, output, rules, true)
    return undefined
  }

  private endMessage(): InvalidRequest | undefined {
    const refused = this.message.end()
    if (refused !== undefined) return refused
    if (this.isBatch) {
      const { method, tool } = this.message
      if (method === "Listen") this.batchListens = true
      if (tool !== undefined) (this.toolsOfBatch ??= new Set()).add(tool)
    } else {
      this.holdEnd()
    }
    return undefined
  }

  private endBatch(): InvalidRequest | undefined {
    if (this.isEmpty) return refuse("MalformedMessage", "an empty batch")
    this.holdEnd()
    return undefined
  }

  /** What would complete the body waits until it is known to be nothing but that. */
  private holdEnd(): void {
    this.output.hold(this.scanner.start)
  }
}
