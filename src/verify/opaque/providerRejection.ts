/** What responses of a provider mean that are no verdict, for every kind of request. Pure. */
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import type { ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"

/** Error codes that concern the provider, regardless of the status (RFC 6749, section 4.1.2.1). */
const outageErrors: ReadonlySet<unknown> = new Set(["server_error", "temporarily_unavailable"])

/** Error codes about the client that sends the request, which is the gateway (RFC 6749, section 5.2). */
const clientErrors: ReadonlySet<unknown> = new Set(["invalid_client", "unauthorized_client"])

export const isOutageError = (error: unknown): boolean => outageErrors.has(error)

/** Returns whether an error code is about the gateway's own client, and not about the token. */
export const isClientError = (error: unknown): boolean => clientErrors.has(error)

/** Describes a failed request for the log, by its status and error code. */
export const statusAndError = ({ rejection, status }: ProviderRequestFailed): string =>
  rejection?.error === undefined ? `${status}` : `${status} ${rejection.error}`

export const reportsOutage = (body: JsonObject): boolean => isOutageError(own(body, "error"))

/** Returns whether a response with status 200 rejects the gateway's own client, and not the token. */
export const rejectsClient = (body: JsonObject): boolean => isClientError(own(body, "error"))

/** The detail for the log: the gateway's credentials are wrong, not the caller's token. */
export const credentialsRejected = (credentials: string): string =>
  `the provider rejects the gateway's credentials, not the token; check ${credentials}`

/** The state of a provider. `refused`: it rejects the gateway's own credentials. */
export type ProviderReach = "ready" | "unavailable" | "refused"

/** Interprets a response with status 200 to a probe. */
export const reachFromBody = (body: JsonObject): ProviderReach =>
  rejectsClient(body) ? "refused" : reportsOutage(body) ? "unavailable" : "ready"
