import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SonicBoom } from "sonic-boom"
import { errorCode } from "./errorCode.ts"

// Where several processes share one pipe: what is written in one piece of this length arrives in one piece (PIPE_BUF,
// POSIX.1-2017, write).
const sharedPieceBytes = 4096

// Where one process writes alone. Each piece takes another thread, and the way there and back.
const ownPieceBytes = 64 * 1024

/** How long a line may wait for others that are written with it, in milliseconds. */
const patienceMillis = 10

/** Lines that wait for a slow reader, in bytes; what comes on top is dropped and counted. */
const defaultWaitingBytes = 8 * 2 ** 20

const standardOutput = 1

export interface WriteLineOptions {
  /** Other processes write to the same output: lines of theirs must not run into ours. */
  readonly isShared: boolean
  /** Standard output, unless given. */
  readonly descriptor?: number
  /** How much may wait for a slow reader, 8 MiB unless given. */
  readonly maxWaitingBytes?: number
  /** Takes what has to be said about the log itself. */
  readonly complain?: (text: string) => void
}

/** Where the process says that its log cannot be written: not in the log. */
const onStandardError = (text: string): void => {
  // Nobody may read standard error either, and the gateway goes on all the same.
  process.stderr.write(`${text}\n`, () => undefined)
}

/** Writes one line to standard output; a line break is added. */
export type WriteLine = (line: string) => void

/**
 * Opens standard output for log lines, for as long as the scope lives.
 *
 * Lines are written in batches without holding up requests: within 10 ms, and before the process exits. A reader that is too slow
 * costs lines, of which at most 8 MiB wait; a disk that is full does, too. Both are said on standard error, once until lines
 * are written again: all of those that waited, where the reader was too slow.
 */
export const makeWriteLine = Effect.fnUntraced(function*(
  {
    complain = onStandardError,
    descriptor = standardOutput,
    isShared,
    maxWaitingBytes = defaultWaitingBytes
  }: WriteLineOptions
): Effect.fn.Return<WriteLine, never, Scope.Scope> {
  const pieceBytes = isShared ? sharedPieceBytes : ownPieceBytes
  const output = new SonicBoom({
    fd: descriptor,
    maxWrite: pieceBytes,
    maxLength: maxWaitingBytes,
    sync: false
  })
  let piece = ""
  let timer: ReturnType<typeof setTimeout> | undefined
  let failure: string | undefined
  let dropped = 0

  output.on("error", (error: unknown) => {
    const code = errorCode(error)
    if (failure !== code) complain(`The log cannot be written (${code}). The gateway goes on without it.`)
    failure = code
  })
  output.on("drop", (lost: string) => {
    if (dropped === 0) complain("The log is read too slowly. Entries are dropped.")
    dropped += lost.split("\n").length - 1
  })
  output.on("write", () => {
    failure = undefined
  })
  // Not after each piece: a reader that is always too slow would be complained about each time.
  output.on("drain", () => {
    if (dropped > 0) complain(`The log is written again; ${dropped} entries were dropped.`)
    dropped = 0
  })

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    if (piece !== "") output.write(piece)
    piece = ""
  }
  const flushNow = (): void => {
    flush()
    try {
      output.flushSync()
    } catch {
      // It has been said, and there is nobody left to tell.
    }
  }
  process.once("exit", flushNow)
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      flush()
      output.flush(() => resume(Effect.void))
    }).pipe(
      // A reader that takes nothing does not keep the process alive.
      Effect.timeoutOption("1 second"),
      Effect.andThen(Effect.sync(() => process.off("exit", flushNow)))
    )
  )

  return (line) => {
    // Characters, not bytes: what is beyond ASCII is rare, and costs no more than a line break between two pieces.
    if (piece.length + line.length >= pieceBytes) flush()
    piece += `${line}\n`
    timer ??= setTimeout(flush, patienceMillis)
  }
})
