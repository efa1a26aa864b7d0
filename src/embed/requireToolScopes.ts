import type * as Tool from "effect/ai/Tool"
import * as Context from "effect/Context"
import type * as Schema from "effect/Schema"

/** The scopes that a tool requires, in addition to those that every request requires. */
const RequiredScopes = Context.Reference<ReadonlyArray<string>>("mcp-authorizer/embed/RequiredScopes", {
  defaultValue: () => []
})

/**
 * The requirement that the scopes of the tool `Name` are checked before it runs.
 *
 * `requireToolScopes` adds it to a tool, and only `Authentication.layerToolkit` satisfies it, for the tools of the
 * toolkits that it gets. So a tool with scopes does not compile if its scopes would not be checked: under
 * `Authentication.layer`, or under `layerToolkit` of another toolkit.
 */
export interface ScopesChecked<out Name extends string> {
  readonly "~mcp-authorizer/embed/ScopesChecked": Name
}

/** The key that satisfies the requirement. Types distinguish the tools. */
export const scopesChecked = <Requirement extends ScopesChecked<string>>(): Context.Key<Requirement, true> =>
  Context.Service<Requirement, true>("mcp-authorizer/embed/ScopesChecked")

/**
 * Makes a tool require scopes, in addition to those that every request requires.
 *
 * Use it with `Authentication.layerToolkit`, which rejects a call without them: 403 `insufficient_scope`. A server that
 * does not pass the tool's toolkit there does not compile.
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
): Tool.Tool<Name, Config, Requirements | ScopesChecked<Name>> =>
  tool.annotate(RequiredScopes, scopes).addDependency(scopesChecked<ScopesChecked<Name>>())

/** Returns the scopes of a tool by its name; none for an unknown tool. */
export type ToolScopes = (tool: string) => ReadonlyArray<string>

/** Tools by name, as in a `Toolkit`. */
export interface Tools {
  readonly tools: Readonly<Record<string, Tool.Any>>
}

export type ChecksOf<Toolkit extends Tools> = Toolkit extends Tools
  ? Extract<Tool.Requirements<Toolkit["tools"][keyof Toolkit["tools"]]>, ScopesChecked<string>>
  : never

/** The scopes of tools: by name, and each scope once. */
export interface KnownToolScopes {
  readonly scopesOf: ToolScopes
  readonly all: ReadonlyArray<string>
}

export const listedScopes = (listed: Readonly<Record<string, ReadonlyArray<string>>>): KnownToolScopes => {
  const byName = new Map(Object.entries(listed))
  return { scopesOf: (tool) => byName.get(tool) ?? [], all: [...new Set([...byName.values()].flat())] }
}

/** Returns the scopes of the tools of all toolkits. Tools with the same name require the scopes of each other, too. */
export const toolkitScopes = (toolkits: ReadonlyArray<Tools>): KnownToolScopes => {
  const scopes = new Map<string, ReadonlyArray<string>>()
  for (const { tools } of toolkits) {
    for (const { annotations, name } of Object.values(tools)) {
      scopes.set(name, [...scopes.get(name) ?? [], ...Context.get(annotations, RequiredScopes)])
    }
  }
  return listedScopes(Object.fromEntries(scopes))
}
