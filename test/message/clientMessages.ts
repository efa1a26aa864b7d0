/** Arbitrary JSON-RPC messages, as trees. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { type Member, members, type Tree, tree } from "./jsonText.ts"

/** What a message is understood by. */
export const ofMessage: ReadonlyArray<string> = ["jsonrpc", "id", "method", "params"]

export const unescaped = (name: string): string => JSON.parse(name)

const scalar = (text: string): Tree => ({ _tag: "Scalar", text })

/** A message of a client, perhaps ambiguous or malformed. */
export const message: Arbitrary.Arbitrary<Tree> = Arbitrary.map(
  Arbitrary.all({
    method: Arbitrary.schema(
      Schema.Literals([`"initialize"`, `"\\u0069nitialize"`, `"tools/call"`, `"Initialize"`, `"ping"`, "7", ""])
    ),
    methodName: Arbitrary.schema(Schema.Literals([`"method"`, `"m\\u0065thod"`, `"method"`, `"Method"`])),
    id: Arbitrary.schema(Schema.Literals(["1", `"a"`, "12345678901234567890", "null", ""])),
    params: Arbitrary.map(members, (members): Tree => ({ _tag: "Object", members })),
    otherParams: tree,
    paramsKind: Arbitrary.schema(Schema.Literals(["params", "params", "params", "other", "absent"])),
    extra: members,
    rotation: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 8 })))
  }),
  ({ extra, id, method, methodName, otherParams, params, paramsKind, rotation }) => {
    const members: ReadonlyArray<Member> = [
      { name: `"jsonrpc"`, value: scalar(`"2.0"`) },
      ...(id === "" ? [] : [{ name: `"id"`, value: scalar(id) }]),
      ...(method === "" ? [] : [{ name: methodName, value: scalar(method) }]),
      ...(paramsKind === "absent" ? [] : [{ name: `"params"`, value: paramsKind === "params" ? params : otherParams }]),
      ...extra
    ]
    const first = rotation % members.length
    return { _tag: "Object", members: [...members.slice(first), ...members.slice(0, first)] }
  }
)

/** Without the members that would make it ambiguous or malformed: the first of each name stays. */
export const clear = (tree: Tree, top = true): Tree => {
  if (tree._tag === "Scalar") return tree
  if (tree._tag === "Array") return { ...tree, items: tree.items.map((item) => clear(item, false)) }
  const taken = new Set<string>()
  return {
    ...tree,
    members: tree.members.flatMap((member) => {
      const name = unescaped(member.name)
      const folded = name.toLowerCase()
      if (taken.has(folded) || (top && ofMessage.includes(folded) && folded !== name)) return []
      taken.add(folded)
      if (!top) return [{ ...member, value: clear(member.value, false) }]
      if (name === "method") return member.value._tag === "Scalar" && member.value.text.startsWith(`"`) ? [member] : []
      if (name === "params" && member.value._tag !== "Object") return []
      return [{ ...member, value: clear(member.value, false) }]
    })
  }
}
