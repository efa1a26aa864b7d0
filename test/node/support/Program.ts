/** A program in a separate process: its output, its exit, and its cleanup. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { env as ownEnvironment } from "node:process"
import { mainFile } from "./builtProgram.ts"

export interface ProgramOptions {
  /** Another script than the built gateway. */
  readonly script?: string
  /** Arguments of the gateway. */
  readonly args?: ReadonlyArray<string>
  /** Arguments of Node itself. */
  readonly nodeArgs?: ReadonlyArray<string>
  /** The whole environment of the process, apart from `PATH`. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Its standard input; empty by default. */
  readonly input?: string
  /** The Node to run it with; the one that runs the tests unless given. */
  readonly node?: string
}

/** The exit of a process, and all of its output. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Program {
  readonly pid: number | undefined
  readonly stdout: () => string
  readonly stderr: () => string
  /** Waits until standard output matches `pattern`; dies if the process ends before. */
  readonly awaitOutput: (pattern: RegExp) => Effect.Effect<RegExpExecArray>
  readonly signal: (name: NodeJS.Signals) => Effect.Effect<void>
  /** Closes our end of its standard output and standard error. */
  readonly stopReading: Effect.Effect<void>
  /** Waits for the end of the process and of its output. */
  readonly ended: Effect.Effect<Ended>
  readonly hasEnded: () => boolean
}

const collect = (stream: NodeJS.ReadableStream, onText: () => void): () => string => {
  const chunks: Array<Buffer> = []
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk)
    onText()
  })
  return () => Buffer.concat(chunks).toString("utf8")
}

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const kill = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (hasExited(child)) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

/** Starts the built program, or another script; its process does not outlive the scope. */
export const startProgram = Effect.fnUntraced(
  function*(options: ProgramOptions = {}): Effect.fn.Return<Program, never, Scope.Scope> {
    const { args = [], cwd, env, node = process.execPath, nodeArgs = [] } = options
    const main = options.script ?? (yield* mainFile)
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(node, [...nodeArgs, main, ...args], {
          cwd,
          // Not the environment of the tests, which may hold settings.
          env: { PATH: ownEnvironment["PATH"], ...env },
          stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"]
        })
      ),
      kill
    )
    // A program that does not read it may have ended.
    child.stdin?.on("error", () => undefined).end(options.input)
    const { stderr: errors, stdout: output } = child
    if (output === null || errors === null) return yield* Effect.die("both are pipes")
    const ended = yield* Deferred.make<Ended>()
    const waiting = new Set<() => void>()
    const wake = () => {
      for (const look of waiting) look()
    }
    const stdout = collect(output, wake)
    const stderr = collect(errors, wake)
    child.on("error", (cause) => Deferred.doneUnsafe(ended, Effect.die(cause)))
    child.on("close", (code, signal) => {
      Deferred.doneUnsafe(ended, Effect.succeed({ code, signal, stdout: stdout(), stderr: stderr() }))
      wake()
    })

    return {
      pid: child.pid,
      stdout,
      stderr,
      awaitOutput: (pattern) =>
        Effect.callback<RegExpExecArray>((resume) => {
          const look = () => {
            const found = pattern.exec(stdout())
            if (found !== null) resume(Effect.succeed(found))
            else if (hasExited(child)) resume(Effect.die(new Error(`it ended: ${stdout()}${stderr()}`)))
          }
          waiting.add(look)
          look()
          return Effect.sync(() => waiting.delete(look))
        }),
      signal: (name) => Effect.sync(() => child.kill(name)),
      stopReading: Effect.sync(() => {
        output.destroy()
        errors.destroy()
      }),
      ended: Deferred.await(ended),
      hasEnded: () => hasExited(child)
    }
  }
)

/** Runs the built program to its end. */
export const runProgram = (options: ProgramOptions = {}): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(startProgram(options), ({ ended }) => ended))
