import * as Context from "effect/Context"
import type * as Schema from "effect/Schema"

/** A service with the claims of the caller, in the shape that the program declares. */
export interface ClaimsService<Self, Id extends string, Claims> extends Context.ServiceClass<Self, Id, Claims> {
  readonly schema: Schema.ConstraintDecoder<Claims>
}

/**
 * Declares the claims that a program relies on: a service for handlers, and the schema that claims must match.
 *
 * Pass it to `Authentication.layerWith`, which provides it for each request. A token whose claims do not match results
 * in 403 (`AccessDenied` with the reason `Claims`). A handler, tool, resource or prompt that declares the service does
 * not compile without that layer.
 *
 * **Example** (a tool for one department)
 *
 * ```ts
 * import * as Tool from "effect/ai/Tool"
 * import * as Toolkit from "effect/ai/Toolkit"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import { Authentication, CurrentClaims } from "mcp-authorizer"
 *
 * class StaffClaims extends CurrentClaims<StaffClaims>()("StaffClaims", Schema.Struct({ department: Schema.String })) {}
 *
 * const Tools = Toolkit.make(Tool.make("department", { success: Schema.String, dependencies: [StaffClaims] }))
 *
 * const Handlers = Tools.toLayer({ department: () => Effect.map(StaffClaims, ({ department }) => department) })
 *
 * const Authenticated = Authentication.layerWith({ claims: StaffClaims })
 * ```
 */
export const CurrentClaims = <Self>() =>
<const Id extends string, Claims>(
  id: Id,
  schema: Schema.ConstraintDecoder<Claims>
): ClaimsService<Self, Id, Claims> => Object.assign(Context.Service<Self, Claims>()(id), { schema })
