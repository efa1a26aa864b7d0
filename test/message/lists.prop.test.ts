import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BodyFilter } from "../../src/message/BodyFilter.ts"
import { joinBytes } from "../../src/message/json/spliceBytes.ts"
import { ListEventFilter } from "../../src/message/lists/listEventFilter.ts"
import { ListFilter, type ListFilterOptions } from "../../src/message/lists/listFilter.ts"
import { RememberedLists } from "../../src/message/lists/RememberedLists.ts"
import { Slabs } from "../../src/message/lists/Slabs.ts"
import { cut, sizes } from "./inPieces.ts"
import { render, spaces } from "./jsonText.ts"
import { keeps, keptItems, naive, response, responses } from "./listTrees.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const filterLists = (bytes: Uint8Array, options: ListFilterOptions): Uint8Array | string => {
  const filter = new ListFilter(options)
  const filtered = joinBytes([...filter.push(bytes), ...filter.end()])
  return filter.fault ?? filtered
}

/** For a server of which nothing was read before. */
const options: ListFilterOptions = {
  keeps,
  securitySchemes: undefined,
  demanded: false,
  limit: 1e9,
  slabs: new Slabs(1e6),
  get remembered() {
    return new RememberedLists(1e6)
  },
  server: "server"
}

const read = (remembered: RememberedLists, server: string, name: string) =>
  filterLists(encoder.encode(`{"result":{"tools":[{"name":"${name}"}]}}`), { ...options, remembered, server })

const named = (remembered: RememberedLists, server: string) => remembered.of(server).map(({ items }) => items[0]?.name)

/** A name that takes about 1,000 bytes with what is remembered of its list. */
const name = (letter: string): string => letter.repeat(800)

/** The result of a body in chunks: its bytes, or the fault. */
const inPieces = (filter: BodyFilter, bytes: Uint8Array, sizes: ReadonlyArray<number>): Uint8Array | string => {
  const left: Array<Uint8Array> = []
  for (const piece of cut(bytes, sizes)) left.push(...filter.push(piece))
  left.push(...filter.end())
  return filter.fault ?? joinBytes(left)
}

/** Documents that are wrong in one way or another, or right by chance. */
const fragments = [
  `{"result":{"tools":[{"name":"a"},{"name":"x"}]}}`,
  `{"result":{"tools":[{"name":"x","name":"a"}]}}`,
  `{"result":{"tools":[{"Name":"x","name":"a"}]}}`,
  `{"result":{"tools":{"name":"x"}}}`,
  `{"result":{"tools":[{"title":"x"}]}}`,
  `{"result":{"tools":["x"]}}`,
  `{"result":{"Tools":[{"name":"x"}]}}`,
  `{"result":{"tools":[],"tools":[{"name":"x"}]}}`,
  `{"result":{"resources":[{"uri":"x"},{"uri":"a"}],"cacheScope":"public"}}`,
  `{"result":{"cacheScope":"public","contents":[]}}`,
  `{"result":{"content":[]}}`,
  `{"error":{"code":1}}`,
  `"x"`,
  "",
  "[",
  "]",
  ",",
  "\u00a0",
  "\ufeff"
] as const

const wild = Arbitrary.map(
  Arbitrary.schema(Schema.Array(Schema.Literals(fragments)).check(Schema.isMaxLength(3))),
  (parts) => encoder.encode(parts.join(""))
)

describe("lists in responses", () => {
  it.effect.prop(
    "LST-01 are what a naive reader makes of them, and the bytes of what stays are unchanged, in their order",
    { responses, spaces },
    ({ responses, spaces }) =>
      Effect.sync(() => {
        const bytes = encoder.encode(render(responses, spaces))
        const filtered = filterLists(bytes, options)
        if (typeof filtered === "string") return assert.fail(filtered)
        const output = decoder.decode(filtered)
        assert.deepStrictEqual(JSON.parse(output), naive(JSON.parse(decoder.decode(bytes))))
        // Without white space between tokens each item has one spelling.
        const dense = filterLists(encoder.encode(render(responses)), options)
        if (typeof dense === "string") return assert.fail(dense)
        const text = decoder.decode(dense)
        let at = 0
        for (const item of keptItems(responses, render)) {
          at = text.indexOf(item, at)
          assert.isAtLeast(at, 0, item)
          at += item.length
        }
        assert.deepStrictEqual(filterLists(filtered, options), filtered)
      }),
    { arbitrary: { runs: 250 } }
  )

  it.effect.prop(
    "LST-02 come to the same however the body is cut into pieces",
    { responses, spaces, sizes },
    ({ responses, sizes, spaces }) =>
      Effect.sync(() => {
        const bytes = encoder.encode(render(responses, spaces))
        assert.deepStrictEqual(inPieces(new ListFilter(options), bytes, sizes), filterLists(bytes, options))
      }),
    { arbitrary: { runs: 250 } }
  )

  it.effect.prop(
    "LST-02 that are not what they should be are the same fault however the body is cut",
    { wild, sizes, demanded: Arbitrary.schema(Schema.Boolean) },
    ({ demanded, sizes, wild }) =>
      Effect.sync(() => {
        const chosen = { ...options, demanded }
        assert.deepStrictEqual(inPieces(new ListFilter(chosen), wild, sizes), filterLists(wild, chosen))
      }),
    { arbitrary: { runs: 600 } }
  )

  it.effect.prop(
    "LST-02 have the same result when they were read before, in any chunks, alone, in a batch or in events",
    {
      before: Arbitrary.array(responses, { minLength: 1, maxLength: 3 }),
      another: responses,
      prefix: spaces,
      change: Arbitrary.schema(Schema.Struct({
        at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e6 })),
        byte: Schema.Literals([0x20, 0x22, 0x2c, 0x5b, 0x5d, 0x61, 0x78, 0x7b, 0x7d])
      })),
      adds: Arbitrary.schema(Schema.Boolean),
      sizes
    },
    ({ adds, another, before, change, prefix, sizes }) =>
      Effect.sync(() => {
        const schemes = encoder.encode(`[{"type":"noauth"}]`)
        const fresh = (): ListFilterOptions => ({
          ...options,
          securitySchemes: adds ? () => schemes : undefined,
          remembered: new RememberedLists(1e6)
        })
        const knowing = fresh()
        const texts = before.map((tree) => encoder.encode(render(tree)))
        for (const text of texts) inPieces(new ListFilter(knowing), text, sizes)
        const [first = new Uint8Array(0)] = texts
        const changed = first.slice()
        if (changed.length > 0) changed[change.at % changed.length] = change.byte
        const batch = joinBytes([encoder.encode("["), first, encoder.encode("]")])
        const space = encoder.encode(prefix.join(""))
        for (const text of [...texts, changed, batch, joinBytes([space, first]), encoder.encode(render(another))]) {
          const expected = inPieces(new ListFilter(fresh()), text, [text.length])
          assert.deepStrictEqual(inPieces(new ListFilter(knowing), text, sizes), expected)
          assert.deepStrictEqual(inPieces(new ListFilter(knowing), text, [text.length]), expected)
          const event = joinBytes([encoder.encode("data: "), text, encoder.encode("\n\n")])
          assert.deepStrictEqual(
            inPieces(new ListEventFilter(knowing), event, sizes),
            inPieces(new ListEventFilter(fresh()), event, [event.length])
          )
        }
      }),
    { arbitrary: { runs: 120 } }
  )

  it("LST-02 are remembered unchanged, even if the memory in which they came is reused", () => {
    const knowing = { ...options, remembered: new RememberedLists(1e6) }
    const [tools] = fragments
    const memory = Buffer.from(`  ${tools}`)
    assert.strictEqual(inPieces(new ListFilter(knowing), memory, [memory.length]).length, tools.length - 11)
    memory.fill(0x20)
    const [list] = knowing.remembered.of("server")
    assert.deepStrictEqual(decoder.decode(list?.bytes), `[{"name":"a"},{"name":"x"}]`)
    const again = inPieces(new ListFilter(knowing), encoder.encode(tools), [7])
    assert.deepStrictEqual(again, filterLists(encoder.encode(tools), options))
    assert.strictEqual(knowing.remembered.of("server").length, 1)
  })

  it("LST-02 are forgotten, the longest unused first, when there are too many or too much of them", () => {
    const some = new RememberedLists(1e6)
    for (let index = 0; index < 40; index++) read(some, "one", `tool${index}`)
    assert.strictEqual(some.of("one").length, 32)
    assert.deepStrictEqual(named(some, "one").at(0), "tool8")
    read(some, "one", "tool8")
    read(some, "one", "another")
    assert.notInclude(named(some, "one"), "tool9")
    assert.include(named(some, "one"), "tool8")

    // Seven fit, and none may take more than an eighth.
    const few = new RememberedLists(8_000)
    for (const letter of "bcdefgh") read(few, letter, name(letter))
    read(few, "b", name("b"))
    for (const letter of "ijk") read(few, letter, name(letter))
    assert.deepStrictEqual(named(few, "b"), [name("b")])
    assert.deepStrictEqual(named(few, "c"), [])
    assert.deepStrictEqual(named(few, "k"), [name("k")])
    read(few, "long", name("l").repeat(2))
    assert.deepStrictEqual(named(few, "long"), [])
    assert.deepStrictEqual(named(few, "k"), [name("k")])
  })

  it.effect.prop(
    "LST-02 leave nothing of a list that turns out to be at fault",
    { response, sizes },
    ({ response, sizes }) =>
      Effect.sync(() => {
        const text = render(response)
        const filter = new ListFilter(options)
        const left = cut(encoder.encode(text.slice(0, -1)), sizes).flatMap((piece) => filter.push(piece))
        left.push(...filter.end())
        assert.strictEqual(filter.fault, "not JSON in UTF-8")
        const output = decoder.decode(joinBytes(left))
        assert.isTrue(text.startsWith(output))
        for (const item of keptItems(response, render)) {
          if (item.length > 12) assert.isFalse(output.includes(item) && !text.slice(0, output.length).includes(item))
        }
      }),
    { arbitrary: { runs: 100 } }
  )

  it.effect.prop(
    "LST-03 in events are those of the same message in JSON, and events without one stay as they are",
    {
      responses: Arbitrary.array(Arbitrary.all({ tree: responses, spaces }), { minLength: 1, maxLength: 3 }),
      lineEnd: Arbitrary.schema(Schema.Literals(["\n", "\r", "\r\n"])),
      sizes
    },
    ({ lineEnd, responses, sizes }) =>
      Effect.sync(() => {
        const texts = responses.map(({ spaces, tree }) => render(tree, spaces).replaceAll("\r\n", "\n"))
        const event = (text: string) =>
          [": beat", "", "id: 7", ...text.split("\n").map((line) => `data: ${line}`), "", ""].join(lineEnd)
        const bytes = encoder.encode(texts.map(event).join(""))
        const filtered = inPieces(new ListEventFilter(options), bytes, sizes)
        if (typeof filtered === "string") return assert.fail(filtered)
        const lines = decoder.decode(filtered).split(lineEnd)
        assert.deepStrictEqual(
          lines.filter((line) => !line.startsWith("data")),
          texts.flatMap(() => [": beat", "", "id: 7", ""]).concat("")
        )
        const messages = decoder.decode(filtered).split(`${lineEnd}${lineEnd}`).map((event) =>
          event.split(lineEnd).filter((line) => line.startsWith("data")).map((line) => line.slice(6)).join("\n")
        ).filter((text) => text !== "")
        assert.deepStrictEqual(messages.map((text) => JSON.parse(text)), texts.map((text) => naive(JSON.parse(text))))
        assert.deepStrictEqual(filtered, inPieces(new ListEventFilter(options), bytes, [bytes.length]))
      }),
    { arbitrary: { runs: 150 } }
  )
})
