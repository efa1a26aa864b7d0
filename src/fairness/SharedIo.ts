import * as Context from "effect/Context"

declare const navigator: { readonly userAgent?: string } | undefined

/**
 * Whether a request may wait for I/O that another request has begun, and whether that I/O continues after its client
 * has disconnected.
 *
 * `false` on hosts that tie each operation to the request that began it: there every request queries the provider for
 * itself, at most one at a time for a document, and requests share only results. The default detects Cloudflare
 * Workers. Provide `false` for other hosts of that kind.
 *
 * **Example** (a host that ends what a request has begun)
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { SharedIo } from "mcp-authorizer"
 *
 * const OwnIo = Layer.succeed(SharedIo, false)
 * ```
 */
export const SharedIo = Context.Reference<boolean>("mcp-authorizer/fairness/SharedIo", {
  defaultValue: () => typeof navigator === "undefined" || navigator.userAgent !== "Cloudflare-Workers"
})
