import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"

/**
 * The scopes that a tool needs beside those that every request needs, as an annotation of the tool.
 *
 * Use it with `Authentication.layerToolkit`, which answers a call without them 403 `insufficient_scope`. None unless
 * annotated.
 *
 * **Example**
 *
 * ```ts
 * import * as Tool from "effect/ai/Tool"
 * import { RequiredScopes } from "mcp-authorizer"
 *
 * const DeleteNote = Tool.make("delete_note").annotate(RequiredScopes, ["notes:write"])
 * ```
 *
 * @see RFC 6750, section 3.1; MCP 2025-11-25, authorization: step-up
 */
export const RequiredScopes = Context.Reference<ReadonlyArray<string>>("mcp-authorizer/embed/RequiredScopes", {
  defaultValue: () => []
})

/** The scopes of a tool by its name; none for one that is not there. */
export type ToolScopes = (tool: string) => ReadonlyArray<string>

/** Reads the annotations of toolkits, the tools of all of them by name. */
export const scopesOf = (
  toolkits: ReadonlyArray<{ readonly tools: Readonly<Record<string, Tool.Any>> }>
): ToolScopes => {
  const scopes = new Map<string, ReadonlyArray<string>>()
  for (const { tools } of toolkits) {
    for (const { annotations, name } of Object.values(tools)) {
      scopes.set(name, Context.get(annotations, RequiredScopes))
    }
  }
  return (tool) => scopes.get(tool) ?? []
}
