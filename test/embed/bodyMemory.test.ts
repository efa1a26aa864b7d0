import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { makeFetchMiddleware } from "mcp-authorizer"
import { TestIssuer } from "mcp-authorizer/testing"
import { eventually } from "../fixtures/eventually.ts"
import { ping } from "../fixtures/messages.ts"

const resource = "https://notes.example.com/mcp"

/** The least that may be configured, in bytes. */
const memory = 4_194_304

const messageBytes = 1_000_000

/** A middleware that reads messages, with little memory for them. */
const setUp = Effect.gen(function*() {
  const issuer = yield* TestIssuer.make({ audience: resource })
  const { protect } = yield* Effect.acquireRelease(
    Effect.sync(() =>
      makeFetchMiddleware({
        jwt_issuer: issuer.issuer,
        jwt_jwks_uri: issuer.jwksUri,
        jwt_audience: "auto",
        public_url: "https://notes.example.com",
        max_buffered_bytes: memory
      }, { toolScopes: () => [], logger: Logger.layer([]) })
    ),
    ({ dispose }) => Effect.promise(dispose)
  )
  const handle = protect(() => Promise.resolve(Response.json({})))
  const tokens = {
    greedy: yield* issuer.sign({ claims: { sub: "greedy" } }),
    good: yield* issuer.sign({ claims: { sub: "good" } })
  }
  let read = 0
  const responses: Array<Response> = []

  const send = (
    caller: keyof typeof tokens,
    fields: Readonly<Record<string, string>>,
    body: string | ReadableStream
  ) =>
    Effect.promise((signal) => {
      // Node demands it of a stream, and its type does not know it.
      const options: RequestInit & { readonly duplex: "half" } = {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${tokens[caller]}`, ...fields },
        body,
        signal,
        duplex: "half"
      }
      return handle(new Request(resource, options))
    })
  return {
    /** Begins to send this number of messages, none of which ends. */
    sendUnfinished: (count: number, fields: Readonly<Record<string, string>>) =>
      Effect.forEach(
        Array.from({ length: count }),
        () =>
          Effect.forkChild(
            Effect.map(
              send("greedy", fields, new ReadableStream({ pull: () => void read++ }, { highWaterMark: 0 })),
              (response) => responses.push(response)
            )
          )
      ),
    /** The responses to them so far. */
    responses: () => responses,
    /** How many of them are being read. */
    read: () => read,
    sendWhole: (caller: keyof typeof tokens) => send(caller, {}, ping)
  }
})

describe("the memory for messages that an embedded gateway reads", () => {
  const lengths = {
    "of a known length": { "content-length": String(messageBytes) },
    "of no known length": {}
  }
  for (const [name, fields] of Object.entries(lengths)) {
    it.live(`is shared: a caller with many unfinished ones ${name} has half of it, and others are served (DOS-01)`, () =>
      Effect.gen(function*() {
        const { read, responses, sendUnfinished, sendWhole } = yield* setUp
        const most = "content-length" in fields ? Math.floor(memory / 2 / messageBytes) : 1
        const sent = yield* sendUnfinished(12, fields)
        yield* eventually(() => read() >= most)
        yield* Effect.sleep("200 millis")
        assert.strictEqual(read(), most)
        assert.strictEqual((yield* sendWhole("good")).status, 200)
        // Those that could not be read are rejected after a while.
        yield* eventually(() => responses().length === sent.length - most)
        for (const { headers, status } of responses()) {
          assert.deepStrictEqual([status, headers.get("retry-after")], [503, "5"])
        }
        assert.strictEqual(read(), most)
        // The memory of clients that disconnect is released.
        yield* Fiber.interruptAll(sent)
        yield* sendUnfinished(1, fields)
        yield* eventually(() => read() === most + 1)
        assert.strictEqual((yield* sendWhole("good")).status, 200)
      }).pipe(Effect.scoped))
  }
})
