const lineFeed = 0x0a
const carriageReturn = 0x0d
const one = 0x31
const zero = 0x30
const two = 0x32

// `HTTP/1.1 100`: the index of the first digit of the status.
const firstDigit = 9

/**
 * Changes each `100` that the MCP server sends unasked to a `102`.
 *
 * A client must accept a `100 Continue` that it did not ask for (RFC 9110, section 15.2.1). `undici` fails on one, and
 * ignores every other interim response. Only the last digit is changed, in place, and only before the head of the final
 * response, so that no byte of a body is inspected.
 */
export class InterimResponses {
  #place: "StatusLine" | "Fields" | "Final" = "Final"
  #column = 0
  #mayBeContinue = false
  #lineIsEmpty = false

  /** A response is expected: the next bytes are its status line. */
  expect(): void {
    this.#place = "StatusLine"
    this.#column = 0
  }

  /** Takes a chunk from the connection. */
  pass(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && this.#place !== "Final"; at++) {
      const byte = chunk[at]
      if (this.#place === "Fields") this.#passField(byte)
      else if (this.#passStatus(byte)) chunk[at] = two
    }
  }

  /** Whether this is the last digit of a `100`. */
  #passStatus(byte: number | undefined): boolean {
    // Some servers send an extra line break after a body, which parsers ignore.
    if (this.#column === 0 && (byte === carriageReturn || byte === lineFeed)) return false
    switch (this.#column++ - firstDigit) {
      case 0:
        if (byte !== one) this.#place = "Final"
        return false
      case 1:
        this.#mayBeContinue = byte === zero
        return false
      case 2:
        this.#place = "Fields"
        this.#lineIsEmpty = false
        return this.#mayBeContinue && byte === zero
      default:
        return false
    }
  }

  #passField(byte: number | undefined): void {
    if (byte === lineFeed) {
      if (this.#lineIsEmpty) this.expect()
      this.#lineIsEmpty = true
    } else if (byte !== carriageReturn) {
      this.#lineIsEmpty = false
    }
  }
}
