/** The rewriting of a request body that comes in pieces. */
import * as Result from "effect/Result"
import type { InvalidRequest } from "../errors/GatewayError.ts"
import { JsonScanner, maxMessageDepth } from "./json/scanJson.ts"
import { RequestReader } from "./requestReader.ts"
import type { RequestRules, RequestSummary } from "./requestRules.ts"

/** The end of a rewritten body, and what was learnt of it. */
export interface RewrittenEnd extends RequestSummary {
  /** The bytes that had not left before, in one piece: at least the byte that completes the JSON text. */
  readonly rest: ReadonlyArray<Uint8Array>
}

const nothing: Uint8Array = new Uint8Array(0)

/**
 * `rewriteRequest` for a body that is too large to be collected.
 *
 * However the body is cut into pieces, all that `push` and `end` return, joined, is what `rewriteRequest` makes of the
 * whole, and either refuses if it does, for the same reason, `end` at the latest. After a refusal nothing leaves; and
 * what has left before `end` is never a complete JSON text, so whoever does not get the rest cannot take it for one.
 *
 * Held back is only what may still be changed: a name, number or string of up to `maxTokenBytes`; white space where a
 * member may be cut; white space at the end; and, where an `initialize` may still get its `_authContext`, what stands
 * between the end of `params` and a `method` that comes later. The bytes returned are views of the pieces, which must
 * not be changed.
 */
export class RequestRewriter {
  private readonly scanner = new JsonScanner(nothing, maxMessageDepth, false)
  private readonly reader: RequestReader
  private refused: InvalidRequest | undefined = undefined

  constructor(rules: RequestRules) {
    this.reader = new RequestReader(this.scanner, rules)
  }

  /** How many of the bytes pushed are held back. */
  get heldBytes(): number {
    const { reader, scanner } = this
    return reader.output.heldBytes + scanner.bytes.length - scanner.kept
  }

  /** Takes the next piece of the body and returns what may leave now, in at most one piece. */
  push(piece: Uint8Array): Result.Result<ReadonlyArray<Uint8Array>, InvalidRequest> {
    const { reader, scanner } = this
    if (this.refused === undefined) {
      scanner.push(piece)
      this.refused = reader.read()
    }
    return this.refused === undefined ? Result.succeed(reader.output.take()) : Result.fail(this.refused)
  }

  /** There are no more pieces: the verdict, and what is left to send. To be called once, and nothing after it. */
  end(): Result.Result<RewrittenEnd, InvalidRequest> {
    const { reader, scanner } = this
    if (this.refused === undefined) {
      scanner.push(nothing)
      scanner.finish()
      this.refused = reader.read()
    }
    if (this.refused !== undefined) return Result.fail(this.refused)
    reader.output.release(undefined)
    return Result.succeed({ rest: reader.output.take(), ...reader.summary() })
  }
}
