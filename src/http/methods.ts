import * as Effect from "effect/Effect"
import { MethodNotAllowed } from "../errors/GatewayError.ts"

/** Methods of the routes that can only be read. */
export const reading: ReadonlySet<string> = new Set(["GET", "HEAD"])

/** Refuses other methods than these. */
export const only = (methods: ReadonlySet<string>, method: string): Effect.Effect<void, MethodNotAllowed> =>
  methods.has(method) ? Effect.void : Effect.fail(new MethodNotAllowed({ allow: [...methods, "OPTIONS"] }))
