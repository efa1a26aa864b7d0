/** The services that all cases of a soak share: the options, the tokens, and the processes around the gateway. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { kill } from "node:process"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import type { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { placement } from "../bench/machine.ts"
import type { Performance } from "../bench/perform.ts"
import { processorMicros, residentMemory, run, type Running, serve } from "../bench/processes.ts"
import { gatewaySettings } from "../bench/servers.ts"
import { goodTokens } from "../bench/tokens.ts"
import { closedPort } from "../node/support/ports.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"
import type { Command, Measured } from "./peers/control.ts"
import type { ServerStats } from "./peers/mcpServer.ts"
import type { ProviderArguments } from "./peers/provider.ts"

/** The options of the soak. */
export interface SoakOptions {
  /** How long mixed traffic runs. */
  readonly mixedSeconds: number
  /** Operations of mixed traffic in a second; half of what is possible unless given. */
  readonly rate: number | undefined
  /** How long each flood lasts. */
  readonly seconds: number
  /** How many idle clients there are, and how many event streams. */
  readonly clients: number
  readonly gatewayFile: string
}

/** The options, and where files of this run are. */
export class Soak extends Context.Service<
  Soak,
  SoakOptions & {
    readonly directory: string
    /** RS256 tokens of 64 callers that are good for hours, one a line. */
    readonly tokensFile: string
  }
>()("mcp-authorizer/test/soak/Soak") {}

/** One case of the soak. */
export type SoakCase = Performance<Soak | TestIssuer>

/** Makes the files that all cases need. */
export const makeSoak = Effect.fnUntraced(function*(options: SoakOptions) {
  const directory = yield* temporaryDirectory
  const { file } = yield* goodTokens(directory, "callers", 64)
  return Soak.of({ ...options, directory, tokensFile: file })
})

const script = (name: string): string => fileURLToPath(new URL(`${name}.js`, import.meta.url))

const startPeer = Effect.fnUntraced(function*(name: string, makeArgument: (port: number) => string, path: string) {
  const port = yield* closedPort
  const args = [script(`peers/${name}`), makeArgument(port)]
  return yield* serve({ file: process.execPath, args, cores: placement.upstream }, port, path)
})

/** An MCP server that counts its connections. */
export const mcpServer = startPeer("mcpServer", String, "/stats")

/** The counts of the MCP server. */
export const statsOf = ({ origin }: Running): Effect.Effect<ServerStats> =>
  Effect.promise(async (signal) => {
    // Written by `peers/mcpServer.ts`.
    return await (await fetch(`${origin}/stats`, { signal })).json() as ServerStats
  })

/** An identity provider whose key set can be slow. */
export const provider = (options: Omit<ProviderArguments, "port">) =>
  startPeer("provider", (port) => JSON.stringify({ ...options, port } satisfies ProviderArguments), "/ready")

/** The gateway under test, and control of its process. */
export interface Gateway extends Running {
  readonly commandFile: string
}

export interface GatewayOptions {
  readonly settings?: Readonly<Record<string, string>>
  readonly args?: ReadonlyArray<string>
  readonly nodeArgs?: ReadonlyArray<string>
  /** A shell command that starts `"$@"` in circumstances of its own. */
  readonly shell?: string
}

/** Starts the gateway in front of an MCP server, with tokens of the test issuer unless the settings say otherwise. */
export const gateway = Effect.fnUntraced(function*(target: string, options: GatewayOptions = {}) {
  const { directory, gatewayFile } = yield* Soak
  const port = yield* closedPort
  const commandFile = join(directory, `command-${port}`)
  const node = [process.execPath, "--expose-gc", "--import", script("peers/control"), ...options.nodeArgs ?? []]
  const command = [...node, gatewayFile, ...options.args ?? []]
  const started = options.shell === undefined ? command : ["/bin/sh", "-c", options.shell, "sh", ...command]
  const [file = "", ...args] = started
  const running = yield* serve(
    {
      file,
      args,
      cores: placement.server,
      env: {
        SOAK_COMMAND_FILE: commandFile,
        ...yield* gatewaySettings(port, target),
        ...options.settings
      }
    },
    port,
    "/healthz"
  )
  const found: Gateway = { ...running, commandFile }
  return found
})

/** Sends a command to one process of the gateway. */
export const order = ({ commandFile }: Gateway, pid: number, command: Command): Effect.Effect<void> =>
  Effect.promise(async () => {
    const file = `${commandFile}-${pid}`
    await rm(`${file}.measured`, { force: true })
    await writeFile(file, JSON.stringify(command))
    kill(pid, "SIGUSR2")
  })

/** Sends a command to a process of the gateway, by default the first one; returns its measurements afterwards. */
export const tell = Effect.fnUntraced(function*(ours: Gateway, command: Command, pid = ours.pid) {
  yield* order(ours, pid, command)
  return yield* Effect.promise(async () => {
    for (let wait = 0; wait < 1000; wait++) {
      await sleep(20)
      const text = await readFile(`${ours.commandFile}-${pid}.measured`, "utf8").catch(() => undefined)
      // Written by `peers/control.ts`.
      if (text !== undefined) return JSON.parse(text) as Measured
    }
    throw new Error("the gateway's process does not react to SIGUSR2")
  })
})

/** The worker processes of a gateway, the oldest first. */
export const workersOf = ({ pid }: Running): Effect.Effect<ReadonlyArray<number>> =>
  Effect.promise(async () => {
    const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "")
    return text.trim().split(" ").filter((part) => part !== "").map(Number)
  })

/** Open descriptors of a process. */
export const descriptorsOf = (pid: number): Effect.Effect<number> =>
  Effect.promise(async () => (await readdir(`/proc/${pid}/fd`)).length)

/** Resident memory in bytes and processor time in microseconds, now. */
export const usageOf = ({ pid }: Running) => ({ memory: residentMemory(pid), processor: processorMicros(pid) })

/** Runs one of the client programs to its end and reads its result. */
export const client = <Options, Result>(name: string, options: Options): Effect.Effect<Result> =>
  Effect.map(
    run({ file: process.execPath, args: [script(`clients/${name}`), JSON.stringify(options)], cores: placement.load }),
    // Each client program writes the result that its module declares.
    (output) => JSON.parse(output.trim().split("\n").at(-1) ?? "") as Result
  )

/** A client program that gets commands while it runs, each as one line of JSON. */
export const conversation = Effect.fnUntraced(function*<Options, Order = never>(name: string, options: Options) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [script(`clients/${name}`), JSON.stringify(options)], {
        stdio: ["pipe", "pipe", "inherit"]
      })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const lines: Array<string> = []
  const waiting: Array<{ readonly take: (line: string) => void; readonly fail: () => void }> = []
  const ended = new Error(`clients/${name} has ended`)
  let hasEnded = false
  // After its last output.
  child.once("close", () => {
    hasEnded = true
    for (const { fail } of waiting.splice(0)) fail()
  })
  let rest = ""
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n")
    rest = parts.pop() ?? ""
    for (const line of parts) {
      const next = waiting.shift()
      if (next === undefined) lines.push(line)
      else next.take(line)
    }
  })
  return {
    say: (order: Order) => Effect.sync(() => void child.stdin.write(`${JSON.stringify(order)}\n`)),
    /** The next line that the program prints; dies if it has ended. */
    hear: Effect.callback<string>((resume) => {
      const known = lines.shift()
      if (known !== undefined) return resume(Effect.succeed(known))
      if (hasEnded) return resume(Effect.die(ended))
      waiting.push({ take: (line) => resume(Effect.succeed(line)), fail: () => resume(Effect.die(ended)) })
    })
  }
})
