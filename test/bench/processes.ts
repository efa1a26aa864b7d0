/** Programs in separate processes, each on its cores, which end with the benchmark. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { request } from "node:http"
import { env as ownEnvironment } from "node:process"
import { type Cores, tools } from "./machine.ts"

export interface Command {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly cores: Cores
  /** Its whole environment, apart from `PATH`. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Running {
  readonly pid: number
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly origin: string
}

const exitGrace = "15 seconds"

// Both replace themselves by the command: the process id stays that of the command.
const prefix = (cores: Cores): ReadonlyArray<string> => [
  // Ends the process with us even if we are killed.
  ...(tools.setpriv === undefined ? [] : [tools.setpriv, "--pdeathsig", "KILL"]),
  ...(tools.taskset === undefined || cores === undefined ? [] : [tools.taskset, "-c", cores.join()])
]

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const exited = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (hasExited(child)) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
  })

/** Asks the process to end first, so that it can write its profile; kills it if it does not end. */
const end = Effect.fnUntraced(function*(child: ChildProcess) {
  child.kill("SIGTERM")
  yield* Effect.timeoutOption(Effect.interruptible(exited(child)), exitGrace)
  child.kill("SIGKILL")
  yield* exited(child)
})

const start = ({ args, cores, env, file }: Command, stdout: "pipe" | "ignore") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [program = file, ...rest] = [...prefix(cores), file, ...args]
      return spawn(program, rest, {
        env: { PATH: ownEnvironment["PATH"], ...env },
        stdio: ["ignore", stdout, "pipe"]
      })
    }),
    end
  )

const collect = (stream: NodeJS.ReadableStream | null): () => string => {
  const chunks: Array<Buffer> = []
  stream?.on("data", (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString("utf8")
}

/** Runs a program to its end; returns its output, and dies if it failed. */
export const run = Effect.fnUntraced(function*(command: Command) {
  const child = yield* start(command, "pipe")
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  const ended = yield* Deferred.make<string>()
  child.on("error", (cause) => Deferred.doneUnsafe(ended, Effect.die(cause)))
  child.on("close", (code) => {
    const failure = new Error(`${command.file} ended with ${code}: ${stderr()}${stdout()}`)
    Deferred.doneUnsafe(ended, code === 0 ? Effect.succeed(stdout()) : Effect.die(failure))
  })
  return yield* Deferred.await(ended)
}, Effect.scoped)

/** The status of a response, if there is one. */
const ask = (url: string): Promise<number | undefined> =>
  new Promise((resolve) => {
    const asking = request(url, { agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asking.on("error", () => resolve(undefined))
    asking.end()
  })

/** Starts a server and waits for its first response at `path`, with any status. */
export const serve = Effect.fnUntraced(
  function*(command: Command, port: number, path = "/"): Effect.fn.Return<Running, never, Scope.Scope> {
    // The log counts with the cost of writing, not of reading.
    const child = yield* start(command, "ignore")
    const stderr = collect(child.stderr)
    const origin = `http://127.0.0.1:${port}`
    let failure: Error | undefined
    child.on("error", (cause) => {
      failure = cause
    })
    while ((yield* Effect.promise(() => ask(origin + path))) === undefined) {
      if (failure !== undefined || hasExited(child)) {
        return yield* Effect.die(failure ?? new Error(`${command.file} did not start: ${stderr()}`))
      }
      yield* Effect.sleep("1 millis")
    }
    return { pid: child.pid ?? 0, origin }
  }
)

// The unit of processor time in `/proc`, the same on every Linux (sysconf(_SC_CLK_TCK)).
const ticksPerSecond = 100

/** Processor time of all threads of a process in microseconds; 0 if the system does not provide it. */
export const processorMicros = (pid: number): number => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    // The second field, a name in brackets, may hold anything; user and system time are the 14th and the 15th.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
    return (Number(fields[11]) + Number(fields[12])) * 1e6 / ticksPerSecond
  } catch {
    return 0
  }
}

/** Resident memory of a process in bytes, now and at its height; 0 if the system does not provide it. */
export const residentMemory = (pid: number): { readonly now: number; readonly peak: number } => {
  const read = (field: string): number => {
    try {
      const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))
      return Number(line?.[1] ?? 0) * 1024
    } catch {
      return 0
    }
  }
  return { now: read("VmRSS"), peak: read("VmHWM") }
}
