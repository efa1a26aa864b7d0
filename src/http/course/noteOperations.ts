import * as Result from "effect/Result"
import type { InvalidRequest } from "../../errors/GatewayError.ts"
import { readOperations } from "../../message/operation.ts"
import type { Exchange } from "../Exchange.ts"

/**
 * Reads what the messages of a body ask for, and notes it in the exchange, where the rules have not done so.
 *
 * Returns the error for a body that servers could read in another way: what is recorded must be what the server does.
 */
export const noteOperations = (exchange: Exchange, body: Uint8Array): InvalidRequest | undefined => {
  if (exchange.operations !== undefined) return undefined
  const read = readOperations(body, { argumentsDecide: false })
  if (Result.isFailure(read)) return read.failure
  exchange.operations = read.success
  return undefined
}
