import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import type * as Schema from "effect/Schema"

/** The scopes that a tool needs beside those that every request needs. */
const RequiredScopes = Context.Reference<ReadonlyArray<string>>("mcp-authorizer/embed/RequiredScopes", {
  defaultValue: () => []
})

/**
 * That the scopes of the tool which is called were checked. Only `Authentication.layerToolkit` provides it, so that a
 * tool with scopes does not compile where nobody would look at them.
 */
export class ScopesChecked extends Context.Service<ScopesChecked, true>()("mcp-authorizer/embed/ScopesChecked") {}

/**
 * Makes a tool need scopes beside those that every request needs.
 *
 * Use it with `Authentication.layerToolkit`, which answers a call without them 403 `insufficient_scope`; without that
 * layer the tool does not compile.
 *
 * **Example**
 *
 * ```ts
 * import * as Tool from "effect/ai/Tool"
 * import { requireToolScopes } from "mcp-authorizer"
 *
 * const DeleteNote = requireToolScopes(Tool.make("delete_note"), ["notes:write"])
 * ```
 *
 * @see RFC 6750, section 3.1; MCP 2025-11-25, authorization: step-up
 */
export const requireToolScopes = <
  Name extends string,
  Config extends {
    readonly parameters: Schema.Constraint
    readonly success: Schema.Constraint
    readonly failure: Schema.Constraint
    readonly failureMode: Tool.FailureMode
  },
  Requirements
>(
  tool: Tool.Tool<Name, Config, Requirements>,
  scopes: ReadonlyArray<string>
): Tool.Tool<Name, Config, Requirements | ScopesChecked> =>
  tool.annotate(RequiredScopes, scopes).addDependency(ScopesChecked)

/** The scopes of a tool by its name; none for one that is not there. */
export type ToolScopes = (tool: string) => ReadonlyArray<string>

/** Tools by name, as a `Toolkit` has them. */
export interface Tools {
  readonly tools: Readonly<Record<string, Tool.Any>>
}

/** The scopes that the tools of all toolkits need; namesakes need those of each other, too. */
export const scopesOf = (toolkits: ReadonlyArray<Tools>): ToolScopes => {
  const scopes = new Map<string, ReadonlyArray<string>>()
  for (const { tools } of toolkits) {
    for (const { annotations, name } of Object.values(tools)) {
      scopes.set(name, [...scopes.get(name) ?? [], ...Context.get(annotations, RequiredScopes)])
    }
  }
  return (tool) => scopes.get(tool) ?? []
}
