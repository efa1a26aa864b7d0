import { SdkHttpError } from "@modelcontextprotocol/client"
import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { ClientFailed } from "../support/OfficialClients.ts"

/** The status that an official client names in its error; `undefined` when it failed for another reason. */
export const httpStatus = ({ cause }: ClientFailed): number | undefined => {
  if (cause instanceof StreamableHTTPError) return cause.code
  return cause instanceof SdkHttpError ? cause.status : undefined
}
