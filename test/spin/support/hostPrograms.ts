/** The programs that run the component for tests, and what they are started with. */
import * as Effect from "effect/Effect"
import { env } from "node:process"
import { fileURLToPath } from "node:url"
import { reservePort } from "../../support/reservePort.ts"
import { builtComponent, builtWasm } from "./builtComponent.ts"

/** A module of Node, and its arguments. */
export type HostProgram = readonly [module: string, ...args: ReadonlyArray<string>]

/** Spin itself in the suite of `../runtime`, which sets this variable; otherwise a WASI host on Node. */
export const isSpin = env["COMPONENT_HOST"] === "spin"

const moduleOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** As many instances at a time as requests come. */
const spin: Effect.Effect<HostProgram> = Effect.map(
  Effect.all([builtWasm, reservePort, reservePort]),
  ([component, ...ports]) => [moduleOf("../runtime/host.mjs"), component, ...ports.map(String)]
)

/** One instance at a time. */
export const oneInstance: Effect.Effect<HostProgram> = isSpin
  ? spin
  : Effect.map(builtComponent, (directory) => [moduleOf("host.mjs"), directory])

/** As many instances at a time as requests come on different connections, up to this number. */
export const instancesSideBySide = (count: number): Effect.Effect<HostProgram> =>
  isSpin ? spin : Effect.map(builtComponent, (directory) => [moduleOf("sideBySide.mjs"), directory, String(count)])
