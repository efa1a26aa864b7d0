/** The three ways in which official clients speak today. */
import { connectV1, connectV2, type OfficialClientOptions } from "../support/OfficialClients.ts"

export const legacyClients = [
  ["client 1.x", connectV1],
  ["client 2.x legacy", (url: string, options?: OfficialClientOptions) => connectV2(url, "legacy", options)]
] as const

export const clients = [
  ...legacyClients,
  ["client 2.x auto", (url: string, options?: OfficialClientOptions) => connectV2(url, "auto", options)]
] as const
