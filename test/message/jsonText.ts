/** Arbitrary JSON documents as trees that know how each part is spelt. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

/** A document whose scalars and names are JSON text already, so that their spelling can be compared. */
export type Tree =
  | { readonly _tag: "Scalar"; readonly text: string }
  | { readonly _tag: "Array"; readonly items: ReadonlyArray<Tree> }
  | { readonly _tag: "Object"; readonly members: ReadonlyArray<Member> }

export interface Member {
  readonly name: string
  readonly value: Tree
}

/** Ways to write `_authContext` that one parser or another reads as `_authContext`. */
const contextNames = [
  `"_authContext"`,
  `"_auth\\u0043ontext"`,
  `"\\u005fauthContext"`,
  `"\\u005f\\u0061\\u0075\\u0074\\u0068\\u0043\\u006f\\u006e\\u0074\\u0065\\u0078\\u0074"`,
  `"_authcontext"`,
  `"_AUTHCONTEXT"`,
  `"_AuthContext"`,
  `"_\\u0041uthContext"`
] as const

const otherNames = [
  `"a"`,
  `"b"`,
  `"name"`,
  `"arguments"`,
  `"_meta"`,
  `"Name"`,
  `"_Meta"`,
  `"ARGUMENTS"`,
  `"uri"`,
  `"__proto__"`,
  `"constructor"`,
  `"method"`,
  `"id"`,
  `""`,
  `"authContext"`,
  `"_authContext2"`,
  `"_authContex"`,
  `" _authContext"`,
  `"_auth-Context"`,
  `"é_authContext"`,
  `"\\u0020\\"\\\\"`,
  `"\\ud83d\\ude00"`
] as const

const scalars = [
  "0",
  "-0",
  "1.10",
  "1e400",
  "12345678901234567890",
  "true",
  "null",
  `""`,
  `"_authContext"`,
  `"{\\"_authContext\\":1}"`,
  `"\\u0041\\/"`,
  `"é😀"`,
  `"}],:"`
] as const

const name = Schema.Union([Schema.Literals(contextNames), Schema.Literals(otherNames), Schema.Literals(otherNames)])

const Tree: Schema.Codec<Tree> = Schema.Union([
  Schema.TaggedStruct("Scalar", { text: Schema.Literals(scalars) }),
  Schema.TaggedStruct("Array", {
    items: Schema.Array(Schema.suspend((): Schema.Codec<Tree> => Tree)).check(Schema.isMaxLength(4))
  }),
  Schema.TaggedStruct("Object", {
    members: Schema.Array(Schema.suspend((): Schema.Codec<Member> => Member)).check(Schema.isMaxLength(5))
  })
])

const Member: Schema.Codec<Member> = Schema.Struct({ name, value: Tree })

export const tree: Arbitrary.Arbitrary<Tree> = Arbitrary.schema(Tree)
export const members: Arbitrary.Arbitrary<ReadonlyArray<Member>> = Arbitrary.schema(
  Schema.Array(Member).check(Schema.isMaxLength(5))
)

/** White space to put between tokens, used in turn. */
export const spaces: Arbitrary.Arbitrary<ReadonlyArray<string>> = Arbitrary.schema(
  Schema.Array(Schema.Literals(["", "", " ", "\n", "\t", "\r\n  "])).check(Schema.isMinLength(1), Schema.isMaxLength(7))
)

export const render = (tree: Tree, spaces: ReadonlyArray<string> = [""]): string => {
  let next = 0
  const space = () => spaces[next++ % spaces.length] ?? ""
  const value = (tree: Tree): string => {
    switch (tree._tag) {
      case "Scalar":
        return tree.text
      case "Array":
        return tree.items.length === 0
          ? `[${space()}]`
          : `[${tree.items.map((item) => `${space()}${value(item)}${space()}`).join(",")}]`
      case "Object":
        return tree.members.length === 0
          ? `{${space()}}`
          : `{${
            tree.members.map(({ name, value: member }) =>
              `${space()}${name}${space()}:${space()}${value(member)}${space()}`
            ).join(",")
          }}`
    }
  }
  return `${space()}${value(tree)}${space()}`
}

/** A JSON text with arbitrary white space. */
export const jsonText: Arbitrary.Arbitrary<string> = Arbitrary.map(
  Arbitrary.all([tree, spaces]),
  ([tree, spaces]) => render(tree, spaces)
)
