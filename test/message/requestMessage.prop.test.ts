import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { rewriteRequest } from "../../src/message/requestMessage.ts"
import { clear, message, ofMessage, ofParams, unescaped } from "./clientMessages.ts"
import { type Member, render, spaces, type Tree } from "./jsonText.ts"
import { compact, isEntries, lookups, parseEntries, sameFolded, valuesOf } from "./naiveJson.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const contextText = `{"authenticated_user":"user_1","email":null,"provider":"authkit"}`
const options = { authContext: () => encoder.encode(contextText) }

const isContext = ({ name }: Member) => sameFolded(unescaped(name), "_authContext")

// The reference: the expected result for a message, on trees.

const strip = (tree: Tree): Tree => {
  switch (tree._tag) {
    case "Scalar":
      return tree
    case "Array":
      return { ...tree, items: tree.items.map(strip) }
    case "Object":
      return {
        ...tree,
        members: tree.members.filter((member) => !isContext(member)).map(({ name, value }) => ({
          name,
          value: strip(value)
        }))
      }
  }
}

const hasTwoContexts = (tree: Tree): boolean => {
  switch (tree._tag) {
    case "Scalar":
      return false
    case "Array":
      return tree.items.some(hasTwoContexts)
    case "Object":
      return tree.members.filter(isContext).length > 1 || tree.members.some(({ value }) => hasTwoContexts(value))
  }
}

const hasTwo = (members: ReadonlyArray<Member>, wanted: string) =>
  members.filter(({ name }) => sameFolded(unescaped(name), wanted)).length > 1

const hasVariant = (members: ReadonlyArray<Member>, wanted: string) =>
  members.some(({ name }) => sameFolded(unescaped(name), wanted) && unescaped(name) !== wanted)

const hasName = (members: ReadonlyArray<Member>) => members.some(({ name }) => unescaped(name) === "name")

const memberOf = (message: Tree, wanted: string): Tree | undefined =>
  message._tag === "Object" ? message.members.find(({ name }) => unescaped(name) === wanted)?.value : undefined

const methodOf = (message: Tree): unknown => {
  const method = memberOf(message, "method")
  return method?._tag === "Scalar" ? JSON.parse(method.text) : method
}

/** The names in a `tools/call` that some parser would find. */
const toolsOf = (message: Tree): ReadonlyArray<string> => {
  const params = memberOf(message, "params")
  if (methodOf(message) !== "tools/call" || params?._tag !== "Object") return []
  return params.members.flatMap(({ name, value }) => {
    const tool: unknown = sameFolded(unescaped(name), "name") && value._tag === "Scalar" ? JSON.parse(value.text) : null
    return typeof tool === "string" ? [tool] : []
  })
}

const isAmbiguous = (message: Tree): boolean => {
  if (message._tag !== "Object") return false
  const params = memberOf(message, "params")
  return hasTwoContexts(message)
    || ofMessage.some((wanted) => hasTwo(message.members, wanted))
    || message.members.some(({ name }) =>
      ofMessage.some((wanted) => sameFolded(unescaped(name), wanted) && unescaped(name) !== wanted)
    )
    || (params?._tag === "Object" && (ofParams.some((wanted) => hasTwo(params.members, wanted))
      || hasVariant(params.members, "_meta")
      || (methodOf(message) === "tools/call" &&
        ["name", "arguments"].some((name) => hasVariant(params.members, name)))))
}

const isMalformed = (message: Tree): boolean => {
  const method = methodOf(message)
  const params = memberOf(message, "params")
  return (method !== undefined && typeof method !== "string")
    || (method === "initialize" && params !== undefined && params._tag !== "Object")
    || (method === "tools/call" && params !== undefined
      && (params._tag !== "Object" || (hasName(params.members) && toolsOf(message).length === 0)))
}

const context: Member = { name: `"_authContext"`, value: { _tag: "Scalar", text: contextText } }

const expected = (message: Tree): Tree => {
  const stripped = strip(message)
  if (methodOf(message) !== "initialize" || stripped._tag !== "Object") return stripped
  if (memberOf(stripped, "params") === undefined) {
    const params: Member = { name: `"params"`, value: { _tag: "Object", members: [context] } }
    return { ...stripped, members: [...stripped.members, params] }
  }
  const members = stripped.members.map(({ name, value }): Member => ({
    name,
    value: unescaped(name) === "params" && value._tag === "Object"
      ? { _tag: "Object", members: [...value.members, context] }
      : value
  }))
  return { _tag: "Object", members }
}

/** The results of three different parsers for the forwarded bytes. */
const assertUpstreamAgrees = (text: string) => {
  const message = parseEntries(text)
  if (!isEntries(message)) return assert.fail("no object")
  for (const wanted of ofMessage) {
    const [first, ...others] = lookups.map((lookup) => lookup(message, wanted))
    for (const other of others) assert.deepStrictEqual(other, first)
  }
  const params = lookups[0]?.(message, "params")
  const isInitialize = lookups[0]?.(message, "method") === "initialize"
  const contexts = valuesOf(message, "_authContext")
  assert.deepStrictEqual(contexts, isInitialize ? [parseEntries(contextText)] : [])
  if (!isEntries(params)) return assert.isFalse(isInitialize)
  for (const wanted of [...ofParams, "_authContext"]) {
    const [first, last] = lookups.map((lookup) => lookup(params, wanted))
    assert.deepStrictEqual(last, first)
  }
  if (isInitialize) {
    for (const lookup of lookups) assert.deepStrictEqual(lookup(params, "_authContext"), parseEntries(contextText))
  }
}

describe("rewriteRequest on any message", () => {
  it.effect.prop(
    "FWD-11 FWD-12 FWD-14 removes every _authContext, sets ours, and changes nothing else",
    { message: Arbitrary.map(message, (message) => clear(message)), spaces },
    ({ message, spaces }) =>
      Effect.gen(function*() {
        const text = render(message, spaces)
        const bytes = encoder.encode(text)
        const rewritten = yield* Effect.fromResult(rewriteRequest(bytes, options))
        const output = decoder.decode(rewritten.bytes)
        assert.strictEqual(compact(output), render(expected(message)))
        assert.deepStrictEqual(JSON.parse(output), JSON.parse(render(expected(message))))
        assertUpstreamAgrees(output)
        assert.strictEqual(rewritten.bytes === bytes, render(message) === render(expected(message)))
        assert.deepStrictEqual(rewritten.tools, toolsOf(message))
        const again = yield* Effect.fromResult(rewriteRequest(rewritten.bytes, { ...options, authContext: undefined }))
        assert.lengthOf(valuesOf(parseEntries(decoder.decode(again.bytes)), "_authContext"), 0)
      }),
    { arbitrary: { runs: 1500, size: 60 } }
  )

  it.effect.prop(
    "FWD-12 MCP-01 MCP-02 rejects exactly what parsers could read differently",
    { message, spaces },
    ({ message, spaces }) =>
      Effect.sync(() => {
        const bytes = encoder.encode(render(message, spaces))
        const rewritten = rewriteRequest(bytes, options)
        if (Result.isSuccess(rewritten)) {
          assert.isFalse(isAmbiguous(message))
          assert.isFalse(isMalformed(message))
          assertUpstreamAgrees(decoder.decode(rewritten.success.bytes))
        } else {
          const { reason } = rewritten.failure
          assert.isTrue(reason === "AmbiguousMessage" ? isAmbiguous(message) : isMalformed(message), reason)
        }
      }),
    { arbitrary: { runs: 1500, size: 60 } }
  )

  it.effect.prop(
    "MCP-03 treats each message of a batch like a single one, except for initialize",
    {
      batch: Arbitrary.array(Arbitrary.map(message, (message) => clear(message)), { minLength: 1, maxLength: 4 }),
      spaces
    },
    ({ batch, spaces }) =>
      Effect.sync(() => {
        const rewritten = rewriteRequest(encoder.encode(render({ _tag: "Array", items: batch }, spaces)), options)
        if (batch.some((message) => methodOf(message) === "initialize")) {
          assert.isTrue(Result.isFailure(rewritten) && rewritten.failure.reason === "AmbiguousMessage")
        } else {
          if (!Result.isSuccess(rewritten)) return assert.fail("rejected")
          assert.strictEqual(
            compact(decoder.decode(rewritten.success.bytes)),
            render({ _tag: "Array", items: batch.map(expected) })
          )
          assert.deepStrictEqual(rewritten.success.tools, [...new Set(batch.flatMap(toolsOf))])
        }
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "MCP-13 rejects every truncated message, and never throws",
    { message: Arbitrary.map(message, (message) => clear(message)), spaces },
    ({ message, spaces }) =>
      Effect.sync(() => {
        // Without white space at the end, which may be cut.
        const bytes = encoder.encode(render(message, spaces).trimEnd())
        assert.isTrue(Result.isSuccess(rewriteRequest(bytes, options)))
        for (let length = 0; length < bytes.length; length++) {
          const rewritten = rewriteRequest(bytes.subarray(0, length), options)
          assert.isTrue(Result.isFailure(rewritten) && rewritten.failure.reason === "MalformedMessage")
        }
      }),
    { arbitrary: { runs: 200 } }
  )

  it.effect.prop(
    "MCP-13 forwards nothing that parsers read differently when bits are flipped, and never throws",
    { message: Arbitrary.map(message, (message) => clear(message)), spaces },
    ({ message, spaces }) =>
      Effect.sync(() => {
        const bytes = encoder.encode(render(message, spaces))
        for (let bit = 0; bit < bytes.length * 8; bit++) {
          const flipped = bytes.slice()
          flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          const rewritten = rewriteRequest(flipped, options)
          if (Result.isSuccess(rewritten)) assertUpstreamAgrees(decoder.decode(rewritten.success.bytes))
        }
      }),
    { arbitrary: { runs: 40 } }
  )
})
