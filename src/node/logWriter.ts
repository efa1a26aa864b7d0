import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
// By its default export: Node 20 does not find the named one of this CommonJS module.
import sonicBoom from "sonic-boom"
import { errorCode } from "./errorCode.ts"

// If several processes share one pipe: a write of at most this length is atomic (PIPE_BUF, POSIX.1-2017, write).
const sharedPieceBytes = 4096

// If only this process writes. Each write takes another thread, and the way there and back.
const ownPieceBytes = 64 * 1024

/** How long a line may wait to be written together with others, in milliseconds. */
const batchMillis = 10

/** The limit of lines that wait for a slow reader, in bytes. Further lines are dropped and counted. */
const defaultWaitingBytes = 8 * 2 ** 20

const standardOutput = 1

export interface WriteLineOptions {
  /** Other processes write to the same output, so lines must be written atomically. */
  readonly isShared: boolean
  /** Default: standard output. */
  readonly descriptor?: number
  /** The limit of lines that wait for a slow reader. Default: 8 MiB. */
  readonly maxWaitingBytes?: number
  /** Reports problems of the log itself. */
  readonly report?: (text: string) => void
}

/** Reports on standard error that the log cannot be written. */
const onStandardError = (text: string): void => {
  // Standard error may not be read either, and the gateway continues anyway.
  process.stderr.write(`${text}\n`, () => undefined)
}

/** Writes one line to standard output, and adds a line break. */
export type WriteLine = (line: string) => void

/**
 * Opens standard output for log lines, for the lifetime of the scope.
 *
 * Lines are written in batches without delaying requests: within 10 ms, and before the process exits. If the reader is
 * too slow, lines are dropped beyond a backlog of 8 MiB; if the disk is full, lines are lost as well. Both are reported
 * on standard error, once until lines are written again; a slow reader has recovered once the backlog is written.
 */
export const makeWriteLine = Effect.fnUntraced(function*(
  {
    report = onStandardError,
    descriptor = standardOutput,
    isShared,
    maxWaitingBytes = defaultWaitingBytes
  }: WriteLineOptions
): Effect.fn.Return<WriteLine, never, Scope.Scope> {
  const pieceBytes = isShared ? sharedPieceBytes : ownPieceBytes
  const output = new sonicBoom.SonicBoom({
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
    if (failure !== code) report(`The log cannot be written (${code}). The gateway continues without it.`)
    failure = code
  })
  output.on("drop", (lost: string) => {
    if (dropped === 0) report("The log is read too slowly. Entries are dropped.")
    dropped += lost.split("\n").length - 1
  })
  output.on("write", () => {
    failure = undefined
  })
  // Not after each write: a reader that is always too slow would cause a report each time.
  output.on("drain", () => {
    if (dropped > 0) report(`The log is written again; ${dropped} entries were dropped.`)
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
      // Already reported, and there is no other place to report it.
    }
  }
  process.once("exit", flushNow)
  yield* Effect.addFinalizer(() =>
    Effect.callback<void>((resume) => {
      flush()
      output.flush(() => resume(Effect.void))
    }).pipe(
      // A reader that does not read must not keep the process alive.
      Effect.timeoutOption("1 second"),
      Effect.andThen(Effect.sync(() => process.off("exit", flushNow)))
    )
  )

  return (line) => {
    // Characters, not bytes: other characters than ASCII are rare, and cost no more than a line break between two writes.
    if (piece.length + line.length >= pieceBytes) flush()
    piece += `${line}\n`
    timer ??= setTimeout(flush, batchMillis)
  }
})
