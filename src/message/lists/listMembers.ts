/** The members of MCP results that contain lists, and the members that name their items. */
import { type KnownName, knownName } from "../json/memberName.ts"

/** The kinds of list items. A template stands for the resources that it describes. */
export type ListKind = "tool" | "prompt" | "resource" | "resourceTemplate"

export interface ListMember {
  readonly kind: ListKind
  readonly name: string
  /** The member of an item that rules decide by. */
  readonly key: string
}

/**
 * The members of a result that contain lists.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, `ListToolsResult`, `ListPromptsResult`, `ListResourcesResult` and
 * `ListResourceTemplatesResult`.
 */
export const listMembers: ReadonlyArray<ListMember> = [
  { kind: "tool", name: "tools", key: "name" },
  { kind: "prompt", name: "prompts", key: "name" },
  { kind: "resource", name: "resources", key: "uri" },
  { kind: "resourceTemplate", name: "resourceTemplates", key: "uriTemplate" }
]

export const listMethods: ReadonlySet<string> = new Set([
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list"
])

/** A list member in the form that a scanner compares, with its bit. */
export interface KnownListMember extends ListMember {
  readonly bit: number
  readonly knownName: KnownName
  readonly knownKey: KnownName
}

export const knownListMembers: ReadonlyArray<KnownListMember> = listMembers.map(({ key, kind, name }, index) => ({
  kind,
  name,
  key,
  bit: 1 << index,
  knownName: knownName(name),
  knownKey: knownName(key)
}))
