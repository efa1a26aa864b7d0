import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ping } from "../fixtures/messages.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { assertAllHostile, assertHostile, bare, type Hostile, post } from "../support/hostile.ts"
import { rawExchange } from "../support/rawHttp.ts"

const malformed = { status: 400, error: "invalid_request" }

const length = `Content-Length: ${ping.length}`
const chunks = `${ping.length.toString(16)}\r\n${ping}\r\n0\r\n\r\n`
const chunked = "Transfer-Encoding: chunked"

/** A valid request except for its framing, given by `lines`, followed by a second request. */
const smuggling = (token: string, lines: ReadonlyArray<string>): string => {
  const authorization = `Authorization: Bearer ${token}`
  const body = lines.some((line) => /chunked/i.test(line)) ? chunks : ping
  return bare("POST /mcp", authorization, "Content-Type: application/json", ...lines) + body +
    post([authorization], "/mcp/smuggled")
}

const quoted = (lines: ReadonlyArray<string>): string => JSON.stringify(lines)

layer(GatewayFixture.layer(), { excludeTestServices: true })("framing", (it) => {
  it.effect("HTTP-01 rejects a request whose length can be read in two ways, and reads nothing after it", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const codings = [
        "chunked, identity",
        "chunked, chunked",
        "chunked,",
        "chunked;q=1",
        "chunked identity",
        "xchunked",
        "chunkedx",
        "\"chunked\"",
        "\x0bchunked",
        "chunked\x0b",
        "chunked\t",
        "chunked\0",
        "identity",
        "gzip",
        "deflate",
        "cow",
        "chunked, gzip",
        "identity, chunked, identity"
      ]
      const lengths = [
        "+38",
        "-1",
        "-38",
        " 3 8",
        "38, 38",
        "38,",
        "38;",
        "0x26",
        "38.0",
        "3.8e1",
        "38a",
        "\xd9\xa3\xd9\xa8",
        ""
      ]
      const framings: ReadonlyArray<ReadonlyArray<string>> = [
        ...codings.map((coding) => [`Transfer-Encoding: ${coding}`]),
        ...codings.map((coding) => [length, `Transfer-Encoding: ${coding}`]),
        ...lengths.map((value) => [`Content-Length: ${value}`]),
        [`Content-Length: ${"9".repeat(30)}`],
        [length, chunked],
        [chunked, length],
        [chunked, chunked],
        [chunked, "transfer-encoding: identity"],
        [length, length],
        [length, "content-length: 0"],
        ["Content-Length: 0", length],
        [length, "CONTENT-LENGTH: 1"],
        ["Transfer-Encoding : chunked"],
        ["Transfer-Encoding\t: chunked"],
        ["Content-Length : 38"],
        ["Transfer-Encoding:\r\n chunked"],
        ["Content-Length:\r\n 38"],
        ["X: 1\rTransfer-Encoding: chunked"],
        ["X: 1\nTransfer-Encoding: chunked"]
      ]
      yield* assertAllHostile(
        fixture,
        { ...malformed, closes: true },
        framings.map((lines): Hostile => [quoted(lines), () => smuggling(fixture.token, lines)])
      )
    }))

  it.effect("HTTP-01 accepts no transfer coding but chunked, even where the end of the body is clear", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const codings = ["gzip, chunked", "identity, chunked", "chunked-not, chunked", ", chunked", "gzip,\tchunked"]
      const framings = [
        ...codings.map((coding) => [`Transfer-Encoding: ${coding}`]),
        ["Transfer-Encoding: identity", chunked],
        ["Transfer-Encoding:", chunked]
      ]
      const head = (lines: ReadonlyArray<string>) =>
        bare("POST /mcp", `Authorization: Bearer ${fixture.token}`, "Content-Type: application/json", ...lines)
      yield* assertAllHostile(
        fixture,
        malformed,
        framings.map((lines): Hostile => [quoted(lines), () => head(lines) + chunks])
      )
      for (const spelling of [chunked, "TRANSFER-ENCODING: CHUNKED", "Transfer-Encoding:  chunked"]) {
        yield* fixture.reset
        const { responses } = yield* rawExchange(fixture.gateway.origin, head([spelling]) + chunks)
        assert.strictEqual(responses[0]?.status, 200, spelling)
        assert.lengthOf(fixture.upstream.requests(), 1)
      }
    }))

  it.effect("HTTP-02 rejects lines that parsers could end or read differently", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { bytes } = fixture
      const lines = [
        "X: a\r\n b",
        "X: a\r\n\tb",
        "X: a\rY: b",
        "X: a\nY: b",
        "X: a\r\r",
        "X: 1\r\n\rX: 2",
        "X: a\0b",
        "\0X: a",
        "X\0: a",
        "X : a",
        "X\t: a",
        " X: a",
        ": a",
        ":name",
        "name",
        "X Y: a",
        "X(Y): a",
        "X\"Y: a",
        "X\xe9: a",
        "X: \x07",
        "X: \x0b",
        "X: \x1b[2J",
        "X: \x7f"
      ]
      const requestLines = [
        "POST\t/mcp\tHTTP/1.1",
        "POST /mcp HTTP/1.1 ",
        "POST /mcp HTTP/1.1\rX: y",
        "POST /mcp\0 HTTP/1.1",
        "POST /mcp\r HTTP/1.1",
        "POST /m cp HTTP/1.1",
        " POST /mcp HTTP/1.1",
        "POST HTTP/1.1",
        "/mcp",
        "\0",
        "\xff\xfe"
      ]
      const good = bytes()
      yield* assertAllHostile(fixture, { ...malformed, closes: true }, [
        ...lines.map((line): Hostile => [JSON.stringify(line), () => bytes({ lines: [line] }) + good]),
        ...requestLines.map((line): Hostile => [
          JSON.stringify(line),
          () => good.replace("POST /mcp HTTP/1.1", line) + good
        ]),
        ["line feeds only", () => good.replaceAll("\r\n", "\n")]
      ])
      // The control of a line is a line.
      yield* fixture.forwarded({ lines: ["X: a b", "Y:", "!#$%&'*+-.^_`|~: \x21\x7e\xe9"] })
    }))

  it.effect("HTTP-02 rejects framing fields that only a lenient server reads as such", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const lines = ["Content_Length: 0", "content_length: 1", "Transfer_Encoding: chunked"]
      yield* assertAllHostile(
        fixture,
        malformed,
        lines.map((line): Hostile => [line, () => fixture.bytes({ lines: [line] })])
      )
    }))

  it.effect("HTTP-14, HTTP-15 accepts HTTP/1.1 and 1.0 and nothing else", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { bytes, gateway } = fixture
      const closing = { ...malformed, closes: true }
      const versioned = (version: string) => bytes().replace(" HTTP/1.1", version)
      const versions = [" HTTP/1.2", " HTTP/3.0", " HTTP/11", " HTTP/1.1.1", " http/1.1", " HTTP/-1.1", " ICY/1.0"]
      yield* assertAllHostile(fixture, closing, [
        ["HTTP/2 preface", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"],
        ["TLS", () => "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"],
        ["HTTP/0.9", () => "GET /mcp\r\n\r\n"],
        ["HTTP/0.9 with fields", () => versioned("")],
        ["HTTP/2.0 as text", () => versioned(" HTTP/2.0")],
        ...versions.map((version): Hostile => [version, () => versioned(version)])
      ])
      const old = versioned(" HTTP/1.0")
      const { responses, outcome } = yield* rawExchange(gateway.origin, old, { responses: Infinity })
      assert.deepStrictEqual([responses.length, responses[0]?.status, outcome], [1, 200, "Closed"])
      yield* assertHostile(fixture, closing, "chunked in HTTP/1.0", () => old.replace(length, chunked))
    }))
})
