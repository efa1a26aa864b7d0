/** A gateway whose config file changes while it runs. */
import * as Effect from "effect/Effect"
import { rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { eventually } from "../../fixtures/eventually.ts"
import { ping } from "../../fixtures/messages.ts"
import { type GatewayProgram, type LogLine, startGatewayProgram } from "./GatewayProgram.ts"
import type { ProgramOptions } from "./Program.ts"
import { temporaryDirectory } from "./scratch.ts"

/** The members of a config file. */
export type ConfigFile = Readonly<Record<string, unknown>>

/** Replaces a file as an editor does: a new file takes its name. */
export const replaceFile = (path: string, text: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  })

const said = (gateway: GatewayProgram, message: string): ReadonlyArray<LogLine["annotations"]> =>
  gateway.log().filter((line) => line.message === message).map(({ annotations }) => annotations)

/** Starts a gateway with a config file, and waits until all of its processes serve. */
export const startReloading = Effect.fnUntraced(function*(
  config: ConfigFile,
  { args = [], workers = 1, ...options }: ProgramOptions & { readonly workers?: number } = {}
) {
  const directory = yield* temporaryDirectory
  const path = join(directory, "gateway.json")
  const write = (next: ConfigFile | string) => replaceFile(path, typeof next === "string" ? next : JSON.stringify(next))
  yield* write(config)
  const gateway = yield* startGatewayProgram({
    ...options,
    args: ["--config", path, "--workers", String(workers), ...args]
  })
  if (workers > 1) yield* eventually(() => said(gateway, "worker ready").length >= workers)

  /** The lines with the results of reading the configuration again. */
  const reports = () =>
    gateway.log().filter(({ message }) => /^configuration (?:not )?(?:reloaded|unchanged)$/.test(String(message)))

  /** Waits for the next report after an action. */
  const reportAfter = Effect.fnUntraced(function*(action: Effect.Effect<void>) {
    const before = reports().length
    yield* action
    yield* eventually(() => reports().length > before)
    return reports()[before] as LogLine
  })

  return {
    directory,
    path,
    gateway,
    write,
    reports,
    reportAfter,
    said: (message: string) => said(gateway, message),
    /** Writes the config file, sends SIGHUP, and waits for the result. */
    reload: (next: ConfigFile | string) => reportAfter(Effect.andThen(write(next), gateway.signal("SIGHUP"))),
    /** The status that a token gets, on a connection of its own. */
    status: (token: string, more: Readonly<Record<string, string>> = {}) =>
      Effect.promise(async () => {
        const response = await fetch(`${gateway.origin}/mcp`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${token}`,
            "content-type": "application/json",
            connection: "close",
            ...more
          },
          body: ping
        })
        await response.text()
        return response.status
      })
  }
})
