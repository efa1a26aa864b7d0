/** The meaning of a provider's response other than a verdict, for every kind of request. Pure. */
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import type { ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"

/** Error codes that concern the provider, regardless of the status (RFC 6749, section 4.1.2.1). */
const outageErrors: ReadonlySet<unknown> = new Set(["server_error", "temporarily_unavailable"])

/** Error codes that concern the client that sends the request (RFC 6749, section 5.2). */
const clientErrors: ReadonlySet<unknown> = new Set(["invalid_client", "unauthorized_client"])

/** Whether an error code reports an outage. */
export const isOutageError = (error: unknown): boolean => outageErrors.has(error)

/** Whether an error code concerns the client that sends the request, and not the token. */
export const isClientError = (error: unknown): boolean => clientErrors.has(error)

/** Describes a failed request for the log, by its status and error code. */
export const statusAndError = ({ rejection, status }: ProviderRequestFailed): string =>
  rejection?.error === undefined ? `${status}` : `${status} ${rejection.error}`

/** Whether a response with status 200 reports an outage. */
export const reportsOutage = (body: JsonObject): boolean => isOutageError(own(body, "error"))

/** Whether a response with status 200 rejects the client that sends the request, and not the token. */
export const rejectsClient = (body: JsonObject): boolean => isClientError(own(body, "error"))

/** The detail for the log: the gateway's credentials are wrong, not the caller's token. */
export const credentialsRejected = (credentials: string): string =>
  `the provider rejects the gateway's credentials, not the token; check ${credentials}`

/** The state of a provider: `refused` means that it rejects the gateway's own credentials. */
export type ProviderReach = "ready" | "unavailable" | "refused"

/** Interprets a response with status 200 to a probe. */
export const reachFromBody = (body: JsonObject): ProviderReach =>
  rejectsClient(body) ? "refused" : reportsOutage(body) ? "unavailable" : "ready"
