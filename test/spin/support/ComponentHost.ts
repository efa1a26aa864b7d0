/** The component in its host process, for one test file. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { type HostProgram, instancesSideBySide, oneInstance } from "./hostPrograms.ts"

/** The key-value store of the host: it works, is not granted to the component, or fails at each operation. */
export type StoreMode = "granted" | "denied" | "failing"

/** How the host runs the component. */
export interface Running {
  readonly store?: StoreMode
  /** As `allowed_outbound_hosts` of a manifest; all hosts by default. */
  readonly outboundHosts?: ReadonlyArray<string>
}

const portOf = (message: unknown): number =>
  typeof message === "object" && message !== null && "port" in message && typeof message.port === "number"
    ? message.port
    : 0

const namesOf = (message: unknown): ReadonlyArray<string> =>
  typeof message === "object" && message !== null && "names" in message && Array.isArray(message.names)
    ? message.names
    : []

/** What the program says next. Fails with its output if it ends instead. */
const messageOf = async (child: ChildProcess, log: ReadonlyArray<string>): Promise<unknown> => {
  const ended = new AbortController()
  const { signal } = ended
  const end = once(child, "exit", { signal }).then(() => {
    throw new Error(`the host has ended: ${log.join("").slice(-4000)}`)
  })
  const message = once(child, "message", { signal })
  try {
    return (await Promise.race([message, end]))[0]
  } finally {
    ended.abort()
    await Promise.allSettled([message, end])
  }
}

const start = (program: Effect.Effect<HostProgram>) =>
  Effect.flatMap(program, ([module, ...args]) =>
    Effect.acquireRelease(
      Effect.promise(async () => {
        const child: ChildProcess = fork(module, args, { stdio: ["ignore", "pipe", "pipe", "ipc"] })
        const log: Array<string> = []
        for (const output of [child.stdout, child.stderr]) {
          output?.setEncoding("utf8")
          output?.on("data", (text: string) => log.push(text))
        }
        return { child, log, port: portOf(await messageOf(child, log)) }
      }),
      ({ child }) =>
        Effect.promise(async () => {
          if (child.exitCode !== null || child.signalCode !== null) return
          // A signal that the program can handle: it ends the programs that it has started.
          child.kill("SIGTERM")
          await once(child, "exit")
        })
    ))

export class ComponentHost extends Context.Service<ComponentHost, {
  readonly origin: string
  /** Sets the variables of the component and empties its store; the log begins anew. */
  readonly configure: (
    variables: Readonly<Record<string, string>>,
    store?: StoreMode
  ) => Effect.Effect<void>
  /** The same, with further options of a manifest and a host. */
  readonly run: (variables: Readonly<Record<string, string>>, running: Running) => Effect.Effect<void>
  /** Sets the variables and leaves the store as it is. */
  readonly reconfigure: (variables: Readonly<Record<string, string>>) => Effect.Effect<void>
  /** Advances the time by this number of seconds for the stored documents of providers. */
  readonly age: (seconds: number) => Effect.Effect<void>
  /** The names of the entries that the component has stored since. */
  readonly stored: Effect.Effect<ReadonlyArray<string>>
  /** The log since then. */
  readonly logged: () => string
  /** Calls back with each line that is logged from now on. */
  readonly onLine: (listener: (line: string) => void) => Effect.Effect<void>
}>()("mcp-authorizer/test/spin/support/ComponentHost") {
  static readonly #make = (
    program: Effect.Effect<HostProgram>
  ): Effect.Effect<ComponentHost["Service"], never, Scope.Scope> =>
    Effect.map(
      start(program),
      ({ child, log, port }) => {
        const tell = (told: object) =>
          Effect.promise(async () => {
            const reply = messageOf(child, log)
            child.send(told)
            return reply
          })
        const run = (variables: Readonly<Record<string, string>>, running: Running) =>
          Effect.map(tell({ variables, store: "granted", ...running }), () => {
            log.length = 0
          })
        return ComponentHost.of({
          origin: `http://127.0.0.1:${port}`,
          run,
          configure: (variables, store = "granted") => run(variables, { store }),
          reconfigure: (variables) => Effect.asVoid(tell({ variables })),
          age: (seconds) => Effect.asVoid(tell({ age: seconds })),
          stored: Effect.map(tell({ list: true }), namesOf),
          logged: () => log.join(""),
          onLine: (listener) =>
            Effect.sync(() => {
              for (const output of [child.stdout, child.stderr]) {
                if (output !== null) createInterface(output).on("line", listener)
              }
            })
        })
      }
    )

  /** One instance at a time. */
  static readonly make = ComponentHost.#make(oneInstance)

  static readonly layer = Layer.effect(ComponentHost, ComponentHost.make)

  /** One instance for each connection with requests, up to this number at a time. */
  static readonly layerSideBySide = (instances: number) =>
    Layer.effect(ComponentHost, ComponentHost.#make(instancesSideBySide(instances)))
}
