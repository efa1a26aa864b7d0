import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BodyFilter } from "../../src/message/BodyFilter.ts"
import { joinBytes } from "../../src/message/json/spliceBytes.ts"
import { ListEventFilter } from "../../src/message/lists/listEventFilter.ts"
import { ListFilter, type ListFilterOptions } from "../../src/message/lists/listFilter.ts"
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

const options: ListFilterOptions = {
  keeps,
  securitySchemes: undefined,
  demanded: false,
  limit: 1e9,
  slabs: new Slabs(1e6)
}

/** What a body comes to in pieces: its bytes, or the fault. */
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
