import type { Identity } from "./Identity.ts"

/** A caller whose claims have the type that the program declares by a `Schema`. */
export type ClaimedIdentity<Claims> = Omit<Identity, "claims"> & { readonly claims: Claims }
