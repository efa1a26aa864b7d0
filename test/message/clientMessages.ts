/** Arbitrary JSON-RPC messages, as trees. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { type Member, members, type Tree, tree } from "./jsonText.ts"

/** The members that give a message its meaning. */
export const ofMessage: ReadonlyArray<string> = ["jsonrpc", "id", "method", "params"]

/** The members of `params` that give a message its meaning. */
export const ofParams: ReadonlyArray<string> = ["name", "arguments", "uri", "taskId", "_meta"]

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

const isCall = (method: Tree | undefined): boolean =>
  method?._tag === "Scalar" && method.text.startsWith(`"`) && JSON.parse(method.text) === "tools/call"

/** Without names in another case, and without the name of a tool that is not a string. */
const clearParams = (members: ReadonlyArray<Member>, isCall: boolean): Tree => ({
  _tag: "Object",
  members: members.filter(({ name, value }) => {
    const own = unescaped(name)
    if (isCall && own === "name") return value._tag === "Scalar" && value.text.startsWith(`"`)
    return ofParams.includes(own) || !ofParams.some((wanted) => wanted.toLowerCase() === own.toLowerCase())
  })
})

/** Without the members that would make it ambiguous or malformed: the first of each name stays. */
export const clear = (tree: Tree, top = true): Tree => {
  if (tree._tag === "Scalar") return tree
  if (tree._tag === "Array") return { ...tree, items: tree.items.map((item) => clear(item, false)) }
  const taken = new Set<string>()
  const calls = top && isCall(tree.members.find(({ name }) => unescaped(name) === "method")?.value)
  const members = tree.members.flatMap((member) => {
    const name = unescaped(member.name)
    const folded = name.toLowerCase()
    if (taken.has(folded) || (top && ofMessage.includes(folded) && folded !== name)) return []
    taken.add(folded)
    const value = clear(member.value, false)
    if (!top) return [{ ...member, value }]
    if (name === "method") return member.value._tag === "Scalar" && member.value.text.startsWith(`"`) ? [member] : []
    if (name !== "params") return [{ ...member, value }]
    return value._tag === "Object" ? [{ ...member, value: clearParams(value.members, calls) }] : []
  })
  return { ...tree, members }
}
