import * as Result from "effect/Result"
import type { InvalidRequest } from "../../errors/GatewayError.ts"
import { readOperations } from "../../message/operation.ts"
import type { Exchange } from "../Exchange.ts"

/**
 * Reads the operations of a body and records them in the exchange, unless the rules have already done so.
 *
 * Returns the error for a body that servers could interpret in different ways: the record must show what the server
 * does.
 */
export const noteOperations = (exchange: Exchange, body: Uint8Array): InvalidRequest | undefined => {
  if (exchange.operations !== undefined) return undefined
  const read = readOperations(body, { argumentsDecide: false })
  if (Result.isFailure(read)) return read.failure
  exchange.operations = read.success
  return undefined
}
