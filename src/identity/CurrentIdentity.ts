import * as Context from "effect/Context"
import type { Identity } from "./Identity.ts"

/**
 * The caller of the current request.
 *
 * Use it in handlers, tools, resources and prompts behind `Authentication.layer`. Only that layer provides it,
 * separately for each request, so a handler that uses it does not compile without authentication. It has no layer of
 * its own: that would be one constant caller for all requests.
 *
 * **Example** (a tool that knows who calls)
 *
 * ```ts
 * import * as Tool from "effect/ai/Tool"
 * import * as Toolkit from "effect/ai/Toolkit"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { CurrentIdentity } from "mcp-authorizer"
 *
 * const Tools = Toolkit.make(Tool.make("whoami", { success: Schema.String, dependencies: [CurrentIdentity] }))
 *
 * const Handlers = Tools.toLayer({ whoami: () => Effect.map(CurrentIdentity, ({ subject }) => subject) })
 * ```
 *
 * @see MCP 2025-11-25, security best practices: identity belongs to the request, never to the session
 */
export class CurrentIdentity extends Context.Service<CurrentIdentity, Identity>()(
  "mcp-authorizer/identity/CurrentIdentity"
) {}
