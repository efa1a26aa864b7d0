import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LogCapture } from "../support/canary.ts"
import { startGateway } from "../support/gateway.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { settings } from "../support/settings.ts"
import * as answers from "../support/upstreamAnswers.ts"

const body = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
const H = ["Host: localhost:3000", "Authorization: Bearer dev-token"]
const J = "Content-Type: application/json"
const CL = `Content-Length: ${body.length}`
const smug = "GET /mcp/smuggled HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer dev-token\r\n\r\n"
const P = "POST /mcp HTTP/1.1"
const te = (v: string) => rawRequest([P, ...H, J, v], "0\r\n\r\n" + smug)
const cl = (...v: string[]) => rawRequest([P, ...H, J, ...v], body + smug)
const line = (v: string) => rawRequest([P, ...H, J, CL, v], body)
const ch = (v: string) => rawRequest([P, ...H, J, "Transfer-Encoding: chunked"], v)
const hex = body.length.toString(16)
const cases: Record<string, any> = {
  manyHeaders: rawRequest([P, ...H, J, CL, ...Array.from({length: 2100}, (_, i) => "a:"), "Authorization: Bearer bad"], body),
  teChunkedChunked: te("Transfer-Encoding: chunked, chunked"),
  teTwo: te("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
  teTwoId: te("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
  teChunkedId: te("Transfer-Encoding: chunked, identity"),
  teX: te("Transfer-Encoding: xchunked"),
  teChunkedX: te("Transfer-Encoding: chunkedx"),
  teTab: te("Transfer-Encoding:\tchunked"),
  teVt: te("Transfer-Encoding: \x0bchunked"),
  teTrailTab: te("Transfer-Encoding: chunked\t"),
  teUpper: te("Transfer-Encoding: CHUNKED"),
  teComma: te("Transfer-Encoding: ,chunked"),
  teTrailComma: te("Transfer-Encoding: chunked,"),
  teParam: te("Transfer-Encoding: chunked;q=1"),
  teQuoted: te("Transfer-Encoding: \"chunked\""),
  teSpaceColon: te("Transfer-Encoding : chunked"),
  teEmpty: te("Transfer-Encoding:"),
  te_: te("Transfer_Encoding: chunked"),
  teFold: te("Transfer-Encoding:\r\n chunked"),
  clSame: cl(CL, CL), clDiff: cl(CL, "Content-Length: 0"), clPlus: cl(`Content-Length: +${body.length}`), clMinus: cl("Content-Length: -1"),
  clHex: cl("Content-Length: 0x2e"), clList: cl(`Content-Length: ${body.length}, ${body.length}`), clSpace: cl("Content-Length: 4 6"), clEmpty: cl("Content-Length:"),
  clHuge: cl("Content-Length: 99999999999999999999999"), clFloat: cl("Content-Length: 46.0"), cl_: cl("Content_Length: 46"), clLead0: cl("Content-Length: 0046"), clNone: cl(),
  fold: line("X: a\r\n b"), bareCr: line("X: a\rY: b"), bareLf: line("X: a\nY: b"), crcr: line("X: a\r\r"), nul: line("X: a\0b"), spaceColon: line("X : a"), emptyName: line(": a"), noColon: line("foo"), crlfX: line("X: 1\r\n\rX: 2"),
  nameSpace: line("X Y: a"), del: line("X: \x7f"), vt: line("X: \x0b"), bel: line("X: \x07"), leadingSpaceFirst: P + "\r\n Host: a\r\n\r\n", 
  chGood: ch(`${hex}\r\n${body}\r\n0\r\n\r\n`), chUpper: ch(`${hex.toUpperCase()}\r\n${body}\r\n0\r\n\r\n`), ch0x: ch(`0x${hex}\r\n${body}\r\n0\r\n\r\n`), chNeg: ch(`-1\r\n${body}\r\n0\r\n\r\n`), chOverflow: ch(`FFFFFFFFFFFFFFFFF\r\n${body}\r\n0\r\n\r\n`), chBig: ch(`FFFFFFFFFFFFFFFF\r\n${body}\r\n0\r\n\r\n`),
  chExt: ch(`${hex};a=b\r\n${body}\r\n0\r\n\r\n`), chExt17k: ch(`${hex};${"a".repeat(17000)}\r\n${body}\r\n0\r\n\r\n`), chExtLf: ch(`${hex};a\n${body}\r\n0\r\n\r\n`),
  chLf: ch(`${hex}\n${body}\n0\n\n`), chNoFinal: ch(`${hex}\r\n${body}\r\n0\r\n`), chTrailer: ch(`${hex}\r\n${body}\r\n0\r\nX-Auth-User-Id: admin\r\nContent-Length: 3\r\n\r\n`), chShort: ch(`5\r\n${body}\r\n0\r\n\r\n`), chSpace: ch(` ${hex}\r\n${body}\r\n0\r\n\r\n`), chSpaceAfter: ch(`${hex} \r\n${body}\r\n0\r\n\r\n`), chEmpty: ch(`\r\n${body}\r\n0\r\n\r\n`), chLead0: ch(`0000000000000000000${hex}\r\n${body}\r\n0\r\n\r\n`),
  chTrailerBad: ch(`${hex}\r\n${body}\r\n0\r\nX : 1\r\n\r\n`), chNoDataCrlf: ch(`${hex}\r\n${body}0\r\n\r\n`),
  wsLeading: "\r\n\r\n" + rawRequest([P, ...H, J, CL], body),
  tabReq: "POST\t/mcp\tHTTP/1.1\r\nHost: h\r\n\r\n", twoSp: "POST  /mcp HTTP/1.1\r\nHost: h\r\n\r\n", trailSp: "POST /mcp HTTP/1.1 \r\nHost: h\r\n\r\n", lfOnly: rawRequest([P, ...H, J, CL], body).replaceAll("\r\n", "\n"),
}
it.live("scratch", () => Effect.gen(function*() {
  const upstream = yield* makeRecordingUpstream
  const ctx = yield* Layer.build(LogCapture.layer)
  const gateway = yield* startGateway(settings(`${upstream.origin}/base`), { logger: Layer.succeedContext(ctx) })
  const out = []
  for (const [name, bytes] of Object.entries(cases)) {
    yield* upstream.reset
    const r = yield* rawExchange(gateway.origin, bytes, { answers: Infinity, idleMillis: 300 })
    out.push(`${name}: ${r.outcome} up=${upstream.requests().map((r) => r.method + " " + r.url)} ${r.answers.map((a) => a.status + (a.headers("x-trace-id").length ? "" : "(parser)"))} ${r.answers[0]?.text.slice(0,70)}`)
  }
  yield* upstream.reset
  yield* upstream.answerWith(answers.bigStream(Infinity, "text/event-stream"))
  const r = yield* rawExchange(gateway.origin, [rawRequest([P, ...H, J, CL], body), "", "", "","","","","\x01garbage\r\n\r\n"], { answers: Infinity, idleMillis: 1000 }).pipe(Effect.catchDefect((e) => Effect.succeed(e)))
  out.push(String((r as any).message), (r as any).outcome, Buffer.from((r as any).received ?? "").includes("400 Bad"))
  console.log(out.join("\n"))
}), 60000)
