import { assert, describe, it } from "@effect/vitest"
import { InterimResponses } from "../../../src/node/upstream/InterimResponses.ts"

const proceed = "HTTP/1.1 100 Continue\r\n\r\n"
const hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
const final = "HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n"

/** The output for chunks of this size. */
const passed = (text: string, size: number): string => {
  const responses = new InterimResponses()
  responses.expect()
  const bytes = Buffer.from(text, "latin1")
  for (let at = 0; at < bytes.length; at += size) responses.pass(bytes.subarray(at, at + size))
  return bytes.toString("latin1")
}

describe("interim responses", () => {
  it("become 102 where they are 100, however many, however they come in pieces, and nothing else changes", () => {
    const processing = proceed.replace("100", "102")
    const cases = [
      [proceed + final + proceed, processing + final + proceed],
      [proceed + proceed + hints + proceed + final, processing + processing + hints + processing + final],
      [
        `HTTP/1.1 100 Go on\r\nX: HTTP/1.1 100\r\n\r\n${final}`,
        `HTTP/1.1 102 Go on\r\nX: HTTP/1.1 100\r\n\r\n${final}`
      ],
      [`HTTP/1.0 100 Continue\n\n${final}`, `HTTP/1.0 102 Continue\n\n${final}`],
      [`\r\n${proceed}${final}`, `\r\n${processing}${final}`],
      [final + proceed, final + proceed],
      [hints + final, hints + final],
      ["HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
      ["HTTP/1.1 110 X\r\n\r\n", "HTTP/1.1 110 X\r\n\r\n"],
      ["SSH-2.0-OpenSSH_9.6 100\r\n", "SSH-2.0-OpenSSH_9.6 100\r\n"]
    ] as const
    for (const [received, expected] of cases) {
      for (const size of [1, 2, 3, 7, 11, 12, 1000]) assert.strictEqual(passed(received, size), expected, `${size}`)
    }
  })

  it("are searched for only where a response is due", () => {
    const responses = new InterimResponses()
    const unasked = Buffer.from(proceed)
    responses.pass(unasked)
    assert.strictEqual(unasked.toString(), proceed)
    responses.expect()
    responses.pass(unasked)
    assert.notStrictEqual(unasked.toString(), proceed)
  })
})
