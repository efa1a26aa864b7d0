/** The services that all cases of a run share. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"
import type { Generator, TokenRange } from "./load.ts"
import { loadScript } from "./loadScript.ts"
import { initializeRequest, toolsListRequest } from "./peers/mcpResponses.ts"
import type { Performance } from "./perform.ts"
import { goodTokens } from "./tokens.ts"

/** The options of the benchmark's user. */
export interface BenchOptions {
  /** How long one measurement takes; whole seconds. */
  readonly seconds: number
  readonly rounds: number
  /** The built `main.js` of the gateway. */
  readonly gatewayFile: string
  /** Where the gateway's CPU profiles go, if they are wanted. */
  readonly profileDirectory: string | undefined
}

export class Bench extends Context.Service<
  Bench,
  BenchOptions & {
    readonly directory: string
    readonly generator: Generator
    readonly toolsListFile: string
    readonly initializeFile: string
    /** A few tokens, which come again and again. */
    readonly seenTokens: TokenRange
  }
>()("mcp-authorizer/test/bench/Bench") {}

/** Writes the files that all cases need. */
export const makeBench = Effect.fnUntraced(function*(options: BenchOptions) {
  const directory = yield* temporaryDirectory
  const write = (name: string, text: string) =>
    Effect.promise(async () => {
      await writeFile(join(directory, name), text)
      return join(directory, name)
    })
  return Bench.of({
    ...options,
    directory,
    generator: { scriptFile: yield* write("load.lua", loadScript) },
    toolsListFile: yield* write("tools-list.json", toolsListRequest),
    initializeFile: yield* write("initialize.json", initializeRequest),
    seenTokens: yield* goodTokens(directory, "seen", 64)
  })
})

/** One measured case. */
export type Case = Performance<Bench | TestIssuer>
