/** What a provider's response other than a verdict means, whatever it was asked for. Pure. */
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import type { ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"

/** Codes that are about the provider, whatever the status (RFC 6749, section 4.1.2.1). */
const outageErrors: ReadonlySet<unknown> = new Set(["server_error", "temporarily_unavailable"])

/** Codes that are about the client that asks (RFC 6749, section 5.2). */
const clientErrors: ReadonlySet<unknown> = new Set(["invalid_client", "unauthorized_client"])

/** Says whether an error code tells of an outage. */
export const isOutageError = (error: unknown): boolean => outageErrors.has(error)

/** Says whether an error code is about the client that asks, and not about the token. */
export const isClientError = (error: unknown): boolean => clientErrors.has(error)

/** A failed request for the log, by its status and error code. */
export const statusAndError = ({ rejection, status }: ProviderRequestFailed): string =>
  rejection?.error === undefined ? `${status}` : `${status} ${rejection.error}`

/** Says whether a 200 tells of an outage all the same. */
export const tellsOutage = (body: JsonObject): boolean => isOutageError(own(body, "error"))

/** Says whether a 200 rejects the client that asks, and not the token. */
export const tellsUnknownClient = (body: JsonObject): boolean => isClientError(own(body, "error"))

/** For the log: it is not the caller's token that is wrong. */
export const credentialsRejected = (credentials: string): string =>
  `the provider refuses our own credentials, not the token; check ${credentials}`

/** Whether a provider can be asked; `refused`: it does not take our own credentials. */
export type ProviderReach = "ready" | "unavailable" | "refused"

/** What a 200 to a question about nobody's token says of the provider. */
export const reachFromBody = (body: JsonObject): ProviderReach =>
  tellsUnknownClient(body) ? "refused" : tellsOutage(body) ? "unavailable" : "ready"
