import * as Fs from "node:fs"
import { errorCode } from "../errorCode.ts"

/** The size of a batch, which is written by one call, so that lines of several processes are not interleaved. */
const batchBytes = 64 * 1024

/** How long a line may wait to be written together with others, in milliseconds. */
const batchMillis = 10

/** How long to wait after a failure, in milliseconds. */
const retryMillis = 1_000

/** Called when the state of the file changes. */
export interface AppendedFileReports {
  /** The file cannot be written. Called once, until it can be written again. */
  readonly failed: (code: string) => void
  /** The file can be written again. `dropped`: how many lines were dropped in between. */
  readonly recovered: (dropped: number) => void
  readonly written: (lines: number) => void
  readonly dropped: (lines: number) => void
}

export type FileCalls = Pick<typeof Fs, "close" | "fstat" | "open" | "write" | "writeSync">

export interface AppendedFileOptions {
  readonly path: string
  /** The limit of lines that wait while the file cannot be written, in bytes. */
  readonly maxWaitingBytes: number
  readonly reports: AppendedFileReports
  readonly calls?: FileCalls
}

/** Readable only by the owner and the group of the process, because the entries describe callers. */
const mode = 0o640

const { O_APPEND, O_CREAT, O_NONBLOCK = 0, O_WRONLY } = Fs.constants

// O_NONBLOCK: opening a pipe without a reader must not wait for one. For a file it has no effect.
const flags = O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK

/** Opens a file for appending, and creates it if it does not exist. Throws the system's error. */
export const openForAppending = (path: string): number => Fs.openSync(path, flags, mode)

/**
 * A file to which lines are appended, possibly by several processes.
 *
 * Lines are collected for 10 ms and written as whole lines by one call, in order. While the file cannot be written (the
 * disk is full, the directory is gone), lines wait up to a limit, and further ones are dropped and counted. Opening and
 * writing are retried each second. A deleted file is created again; a renamed file is written until `reopen`.
 */
export class AppendedFile {
  readonly #options: AppendedFileOptions
  readonly #calls: FileCalls
  #descriptor: number | undefined
  /** Whole lines, oldest first. */
  #lines: Array<Buffer> = []
  /** How many of the waiting lines are being written. */
  #inBatch = 0
  #waitingBytes = 0
  #isBusy = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #isFailing = false
  #dropped = 0
  #mustReopen = false
  /** Whether the file ends with a partial line. */
  #isTorn = false
  #idle: Array<() => void> = []

  constructor(options: AppendedFileOptions, descriptor: number) {
    this.#options = options
    this.#calls = options.calls ?? Fs
    this.#descriptor = descriptor
  }

  append(line: string): void {
    const bytes = Buffer.from(`${line}\n`)
    if (this.#waitingBytes + bytes.length > this.#options.maxWaitingBytes) {
      this.#dropped++
      this.#options.reports.dropped(1)
      return
    }
    this.#lines.push(bytes)
    this.#waitingBytes += bytes.length
    if (!this.#isBusy) this.#timer ??= setTimeout(() => this.#go(), batchMillis)
  }

  /** Continues in a new file of the same name, after the write in progress. */
  reopen(): void {
    this.#mustReopen = true
    this.#go()
  }

  /**
   * Writes the waiting lines. Returns the number of lines that could not be written.
   *
   * @param timeoutMillis the time limit, for a system call that does not return
   */
  async close(timeoutMillis: number): Promise<number> {
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, timeoutMillis).unref())
    await Promise.race([timeout, this.#settled()])
    clearTimeout(this.#timer)
    if (this.#descriptor !== undefined && !this.#isBusy) this.#calls.close(this.#descriptor, () => undefined)
    this.#descriptor = undefined
    return this.#lines.length + this.#dropped
  }

  /** Writes the waiting lines synchronously, before the process exits. */
  flushNow(): void {
    if (this.#descriptor === undefined || this.#lines.length === this.#inBatch) return
    try {
      this.#calls.writeSync(this.#descriptor, Buffer.concat(this.#lines.slice(this.#inBatch)))
      this.#lines = []
    } catch {
      // The failure was already reported.
    }
  }

  /** Waits until everything is written, or an attempt has failed. */
  #settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve)
      this.#go()
    })
  }

  #go(): void {
    if (this.#isBusy) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#mustReopen || this.#descriptor === undefined) return this.#open()
    if (this.#lines.length > 0) return this.#write(this.#descriptor)
    this.#rest()
  }

  #rest(): void {
    for (const resume of this.#idle.splice(0)) resume()
  }

  #open(): void {
    this.#isBusy = true
    this.#calls.open(this.#options.path, flags, mode, (error, descriptor) => {
      if (error !== null) return this.#release(() => this.#fail(errorCode(error)))
      const before = this.#descriptor
      if (before !== undefined) this.#calls.close(before, () => undefined)
      this.#descriptor = descriptor
      this.#mustReopen = false
      this.#calls.fstat(descriptor, (error, stats) =>
        this.#release(() => {
          // A partial line is in the previous file, not in a new one.
          if (error === null && stats.size === 0) this.#isTorn = false
          if (this.#lines.length === 0) this.#recover()
          this.#go()
        }))
    })
  }

  #write(descriptor: number): void {
    this.#isBusy = true
    let count = 0
    let length = 0
    while (count < this.#lines.length && (count === 0 || length + (this.#lines[count]?.length ?? 0) <= batchBytes)) {
      length += this.#lines[count]?.length ?? 0
      count++
    }
    const batch = this.#lines.slice(0, count)
    this.#inBatch = count
    // Completes the partial line that a full disk has left.
    const bytes = Buffer.concat(this.#isTorn ? [Buffer.from("\n"), ...batch] : batch)
    this.#calls.write(descriptor, bytes, 0, bytes.length, null, (error, written) => {
      if (error !== null) return this.#release(() => this.#fail(errorCode(error)))
      if (written < bytes.length) return this.#release(() => this.#cutShort(bytes, written))
      this.#isTorn = false
      this.#calls.fstat(descriptor, (error, stats) =>
        this.#release(() => {
          // A deleted file cannot be read any more, so the batch is written to the new one.
          if (error === null && stats.isFile() && stats.nlink === 0) {
            this.#mustReopen = true
            return this.#go()
          }
          this.#done(count)
          this.#recover()
          this.#go()
        }))
    })
  }

  #release(then: () => void): void {
    this.#isBusy = false
    this.#inBatch = 0
    then()
  }

  /** Handles a batch of which the system wrote only a part: removes the lines that were written completely. */
  #cutShort(bytes: Buffer, written: number): void {
    let taken = this.#isTorn ? 1 : 0
    let count = 0
    for (const { length } of this.#lines) {
      if (taken + length > written) break
      taken += length
      count++
    }
    if (written > 0) this.#isTorn = bytes[written - 1] !== 0x0a
    this.#done(count)
    this.#fail("ENOSPC")
  }

  #done(count: number): void {
    for (const { length } of this.#lines.splice(0, count)) this.#waitingBytes -= length
    this.#options.reports.written(count)
  }

  #fail(code: string): void {
    if (!this.#isFailing) this.#options.reports.failed(code)
    this.#isFailing = true
    // Opening the file again shows whether it can be written.
    this.#mustReopen = true
    this.#rest()
    this.#timer ??= setTimeout(() => this.#go(), retryMillis)
  }

  #recover(): void {
    if (this.#isFailing || this.#dropped > 0) this.#options.reports.recovered(this.#dropped)
    this.#isFailing = false
    this.#dropped = 0
  }
}
