/** Arbitrary responses with lists, as trees, and the results of a naive reader. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { ListKind } from "../../src/message/lists/listMembers.ts"
import { type Member, members, type Tree, tree } from "./jsonText.ts"

const scalar = (text: string): Tree => ({ _tag: "Scalar", text })
const object = (members: ReadonlyArray<Member>): Tree => ({ _tag: "Object", members })
const array = (items: ReadonlyArray<Tree>): Tree => ({ _tag: "Array", items })

/** Names of items, in several spellings; those with an `x` in them go. */
const itemNames = [`"a"`, `"b"`, `"x"`, `"\\u0078"`, `"xx"`, `"é😀"`, `"x😀"`, `""`, `"a\\/x"`, `"}],\\"x"`] as const

export const keeps = (_: ListKind, name: string): boolean => !name.includes("x")

/** Another spelling of a name. */
const escaped = (name: string): string => {
  const last = name.length - 1
  return `"${name.slice(0, last)}\\u${name.charCodeAt(last).toString(16).padStart(4, "0")}"`
}

/** The lists, and what names their items. */
export const lists = [
  { list: "tools", key: "name" },
  { list: "prompts", key: "name" },
  { list: "resources", key: "uri" },
  { list: "resourceTemplates", key: "uriTemplate" }
] as const

const isOther = ({ name }: Member, taken: ReadonlyArray<string>): boolean => {
  const plain: string = JSON.parse(name)
  return !taken.includes(plain.toLowerCase())
}

const item = Arbitrary.map(
  Arbitrary.all({ name: Arbitrary.schema(Schema.Literals(itemNames)), before: members, after: members }),
  ({ after, before, name }) => ({ name, before, after })
)

const listOf = ({ key, list }: typeof lists[number]): Arbitrary.Arbitrary<Member> =>
  Arbitrary.map(
    Arbitrary.all({ items: Arbitrary.array(item, { maxLength: 5 }), isEscaped: Arbitrary.schema(Schema.Boolean) }),
    ({ isEscaped, items }) => ({
      name: isEscaped ? escaped(list) : JSON.stringify(list),
      value: array(
        items.map(({ after, before, name }) =>
          object([
            ...before.filter((member) => isOther(member, [key.toLowerCase()])),
            { name: isEscaped ? escaped(key) : JSON.stringify(key), value: scalar(name) },
            ...after.filter((member) => isOther(member, [key.toLowerCase()]))
          ])
        )
      )
    })
  )

/** A result with some lists, and other members around them. */
const result = Arbitrary.map(
  Arbitrary.all({
    tools: listOf(lists[0]),
    prompts: listOf(lists[1]),
    resources: listOf(lists[2]),
    templates: listOf(lists[3]),
    chosen: Arbitrary.schema(Schema.Array(Schema.Literals([0, 1, 2, 3])).check(Schema.isMaxLength(2))),
    before: members,
    after: members
  }),
  ({ after, before, chosen, prompts, resources, templates, tools }) => {
    const all = [tools, prompts, resources, templates]
    return object([...before, ...new Set(chosen.flatMap((index) => all[index] ?? [])), ...after])
  }
)

/** A response, unambiguous. */
export const response: Arbitrary.Arbitrary<Tree> = Arbitrary.map(
  Arbitrary.all({ result, before: members, after: members }),
  ({ after, before, result }) => object([...before, { name: `"result"`, value: result }, ...after])
)

/** A response, or a batch of them with other values in between. */
export const responses: Arbitrary.Arbitrary<Tree> = Arbitrary.map(
  Arbitrary.all({ single: response, isBatch: Arbitrary.schema(Schema.Boolean), rest: Arbitrary.array(response), tree }),
  ({ isBatch, rest, single, tree }) => isBatch ? array([single, tree, ...rest]) : single
)

/** The result of a naive reader, which only parses and filters. */
export const naive = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((message: unknown) => Array.isArray(message) ? message : naive(message))
  if (typeof value !== "object" || value === null || !("result" in value)) return value
  const { result } = value
  if (typeof result !== "object" || result === null || Array.isArray(result)) return value
  return {
    ...value,
    result: Object.fromEntries(
      Object.entries(result).map(([name, items]) => {
        const key = lists.find(({ list }) => list === name)?.key
        return key === undefined ? [name, items] : [
          name,
          items.filter((item: Record<string, string>) => keeps("tool", item[key] ?? ""))
        ]
      })
    )
  }
}

/** The texts of the items that stay, as they are spelt, in order. */
export const keptItems = (tree: Tree, render: (tree: Tree) => string): ReadonlyArray<string> => {
  if (tree._tag === "Array") return tree.items.flatMap((item) => item._tag === "Array" ? [] : keptItems(item, render))
  if (tree._tag !== "Object") return []
  const found = tree.members.find(({ name }) => JSON.parse(name) === "result")?.value
  if (found?._tag !== "Object") return []
  return found.members.flatMap(({ name, value }) => {
    const key = lists.find(({ list }) => list === JSON.parse(name))?.key
    if (key === undefined || value._tag !== "Array") return []
    return value.items.filter((item) =>
      item._tag === "Object" &&
      item.members.some(({ name, value }) =>
        JSON.parse(name) === key && value._tag === "Scalar" && keeps("tool", JSON.parse(value.text))
      )
    ).map(render)
  })
}
