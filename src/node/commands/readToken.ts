import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { open } from "node:fs/promises"
import { errorCode } from "../errorCode.ts"

/** Longer than every token that can be configured, and than every response that contains one. */
const maxBytes = 1_048_576

/** The token cannot be read. The problem is in words, and contains nothing of what was read. */
export class TokenNotRead extends Data.TaggedError("TokenNotRead")<{
  readonly problem: string
}> {}

const decoded = (bytes: Uint8Array): Effect.Effect<Redacted.Redacted<string>, TokenNotRead> =>
  Effect.try({
    try: () => Redacted.make(new TextDecoder("utf-8", { fatal: true }).decode(bytes), { label: "token" }),
    catch: () => new TokenNotRead({ problem: "is not UTF-8 text" })
  })

const tooLong = new TokenNotRead({ problem: `is longer than ${maxBytes} bytes` })

/** Reads a file, which may be a pipe (`--token-file <(command)`). */
const fromFile = (path: string) =>
  Effect.tryPromise({
    try: async () => {
      const file = await open(path)
      try {
        const bytes = Buffer.alloc(maxBytes + 1)
        let length = 0
        while (length < bytes.length) {
          const { bytesRead } = await file.read(bytes, length, bytes.length - length)
          if (bytesRead === 0) break
          length += bytesRead
        }
        return bytes.subarray(0, length)
      } finally {
        await file.close()
      }
    },
    catch: (error) => new TokenNotRead({ problem: `cannot be read (${errorCode(error)})` })
  }).pipe(Effect.filterOrFail(({ length }) => length <= maxBytes, () => tooLong))

/** Reads standard input to its end; at a terminal, to the end of the line. */
const fromInput = Effect.tryPromise({
  try: async () => {
    const { stdin } = process
    const chunks: Array<Buffer> = []
    let length = 0
    if (stdin.isTTY) process.stderr.write("Paste the token, and press Enter: ")
    for await (const chunk of stdin) {
      const bytes = Buffer.from(chunk)
      chunks.push(bytes)
      length += bytes.length
      if (length > maxBytes || (stdin.isTTY && bytes.includes("\n"))) break
    }
    return Buffer.concat(chunks)
  },
  catch: (error) => new TokenNotRead({ problem: `cannot be read (${errorCode(error)})` })
}).pipe(Effect.filterOrFail(({ length }) => length <= maxBytes, () => tooLong))

/**
 * Reads the token of a command: from a file, or from standard input (also as `-`). Never from an argument, which other users of the machine
 * can see.
 */
export const readToken = (path: string | undefined): Effect.Effect<Redacted.Redacted<string>, TokenNotRead> =>
  Effect.flatMap(path === undefined || path === "-" ? fromInput : fromFile(path), decoded)
