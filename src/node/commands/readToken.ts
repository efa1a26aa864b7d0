import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { open } from "node:fs/promises"
import { errorCode } from "../errorCode.ts"

/** Longer than any configurable token, and than any response that contains one. */
const maxBytes = 1_048_576

/** The token could not be read. The problem quotes nothing of the input. */
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

const readAll = async (): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  let length = 0
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    length += bytes.length
    if (length > maxBytes) break
  }
  return Buffer.concat(chunks)
}

/** The control characters that are handled: Ctrl-C and Ctrl-D, Enter, and those that delete a character. */
const keys = { interrupt: 3, end: 4, enter: [10, 13], erase: [8, 127] } as const

/**
 * Reads typed or pasted input, up to Enter, without showing it.
 *
 * Not read by lines, because a terminal cuts lines after 4,095 characters, and tokens may be longer.
 */
const readHidden = (stdin: NodeJS.ReadStream): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const bytes: Array<number> = []
    const finish = (end: () => void) => {
      stdin.off("data", take).setRawMode(false).pause()
      process.stderr.write("\n")
      end()
    }
    const take = (chunk: Buffer) => {
      for (const byte of chunk) {
        if (byte === keys.interrupt) return finish(() => reject(Object.assign(new Error(), { code: "interrupted" })))
        if (keys.erase.some((key) => key === byte)) bytes.pop()
        else if (byte !== keys.end) bytes.push(byte)
      }
      const last = chunk.at(-1)
      // Several pasted lines arrive in one chunk. Only a line break at the end of the chunk ends the input.
      const isOver = last === keys.end || keys.enter.some((key) => key === last) || bytes.length > maxBytes
      if (isOver) finish(() => resolve(Buffer.from(bytes)))
    }
    // Raw mode begins before the prompt is shown: otherwise early input would be shown, and cut.
    stdin.setRawMode(true).on("data", take)
    process.stderr.write("Paste the token (it is not shown), and press Enter: ")
  })

/** Reads standard input to its end; at a terminal, up to Enter. */
const fromInput = Effect.tryPromise({
  try: () => process.stdin.isTTY ? readHidden(process.stdin) : readAll(),
  catch: (error) => new TokenNotRead({ problem: `cannot be read (${errorCode(error)})` })
}).pipe(Effect.filterOrFail(({ length }) => length <= maxBytes, () => tooLong))

/**
 * Reads the token of a command: from a file, or from standard input (also as `-`). Never from an argument, which other users
 * of the machine can see.
 */
export const readToken = (path: string | undefined): Effect.Effect<Redacted.Redacted<string>, TokenNotRead> =>
  Effect.flatMap(path === undefined || path === "-" ? fromInput : fromFile(path), decoded)
