/** Rewrites a request body that arrives in pieces. */
import * as Result from "effect/Result"
import type { InvalidRequest } from "../errors/GatewayError.ts"
import { JsonScanner, maxMessageDepth } from "./json/scanJson.ts"
import { RequestReader } from "./requestReader.ts"
import type { RequestRules, RequestSummary } from "./requestRules.ts"

/** The end of a rewritten body, and the summary of its messages. */
export interface RewrittenEnd extends RequestSummary {
  /** The remaining bytes, in one piece: at least the byte that completes the JSON text. */
  readonly rest: ReadonlyArray<Uint8Array>
}

const nothing: Uint8Array = new Uint8Array(0)

/**
 * `rewriteRequest` for a body that is too large to be collected.
 *
 * For every way to split the body into pieces, the results of `push` and `end` together equal the result of
 * `rewriteRequest` for the whole body. A body that `rewriteRequest` rejects is rejected for the same reason, by `end`
 * at the latest. After a rejection nothing more is returned. The bytes before `end` are never a complete JSON text, so
 * a server that does not get the rest cannot take them for one.
 *
 * Only bytes that may still change are held back: a name, number or string of up to `maxTokenBytes`; white space around
 * a member that may be cut; white space at the end; and, if `_authContext` may still have to be added, the bytes
 * between the end of `params` and a later `method`. The returned bytes are views of the pieces, so the pieces must not
 * be changed.
 */
export class RequestRewriter {
  private readonly scanner = new JsonScanner(nothing, maxMessageDepth, false)
  private readonly reader: RequestReader
  private rejected: InvalidRequest | undefined = undefined

  constructor(rules: RequestRules) {
    this.reader = new RequestReader(this.scanner, rules)
  }

  /** How many bytes are held back. */
  get heldBytes(): number {
    const { reader, scanner } = this
    return reader.output.heldBytes + scanner.bytes.length - scanner.kept
  }

  /** Takes the next piece of the body and returns the bytes to send now, in at most one piece. */
  push(piece: Uint8Array): Result.Result<ReadonlyArray<Uint8Array>, InvalidRequest> {
    const { reader, scanner } = this
    if (this.rejected === undefined) {
      scanner.push(piece)
      this.rejected = reader.read()
    }
    return this.rejected === undefined ? Result.succeed(reader.output.take()) : Result.fail(this.rejected)
  }

  /** Ends the body. Returns the summary and the remaining bytes. Call it once, last. */
  end(): Result.Result<RewrittenEnd, InvalidRequest> {
    const { reader, scanner } = this
    if (this.rejected === undefined) {
      scanner.push(nothing)
      scanner.finish()
      this.rejected = reader.read()
    }
    if (this.rejected !== undefined) return Result.fail(this.rejected)
    reader.output.release(undefined)
    return Result.succeed({ rest: reader.output.take(), ...reader.summary() })
  }
}
