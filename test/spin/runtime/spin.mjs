/** Runs `spin`: the program that `SPIN` names, or the one on the PATH. */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { env, platform } from "node:process"
import { promisify } from "node:util"

const program = env.SPIN ?? "spin"

const missing = `spin cannot be started (${program}). These tests need Spin 3.0 or newer on the PATH, or SPIN=/path/to/spin.`

const run = promisify(execFile)

/** Runs a command of Spin to its end, and returns what it writes to standard output. Without Spin, the error says what is missing. */
export const spin = async (args, options = {}) => {
  try {
    const { stdout } = await run(program, args, { ...options, env: { ...env, ...options.env }, maxBuffer: 2 ** 26 })
    return stdout
  } catch (error) {
    if (error.code === "ENOENT" && error.syscall?.startsWith("spawn")) throw new Error(missing, { cause: error })
    throw new Error(`spin ${args.join(" ")}: ${error.stderr || error.message}`, { cause: error })
  }
}

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis))

/** Whether Spin itself responds at this origin: not before all components are compiled. */
const isUp = (origin) =>
  fetch(`${origin}/.well-known/spin/health`, { signal: AbortSignal.timeout(5000) }).then(({ ok }) => ok, () => false)

/**
 * Starts `spin up`, and waits until it serves.
 *
 * @param args what to run: `["-f", "spin.toml"]`
 * @param variables what the operator sets for the application
 * @param onOutput gets what Spin and the components write, as it comes
 */
export const up = async ({ args, cwd, env: more = {}, onOutput = () => {}, port, variables = {} }) => {
  const given = Object.entries(variables).map(([name, value]) => [`SPIN_VARIABLE_${name.toUpperCase()}`, value])
  // A group of its own: `spin up` starts further processes.
  const child = spawn(program, ["up", ...args, "--listen", `127.0.0.1:${port}`], {
    cwd,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, ...more, ...Object.fromEntries(given) }
  })
  let log = ""
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding("utf8")
    output.on("data", (text) => {
      log = (log + text).slice(-20_000)
      onOutput(text)
    })
  }
  let ended
  child.once("error", (cause) => (ended = new Error(missing, { cause })))
  child.once("exit", (code, signal) => (ended ??= new Error(`spin up has ended with ${code ?? signal}:\n${log}`)))

  const origin = `http://127.0.0.1:${port}`
  while (!await isUp(origin)) {
    if (ended !== undefined) throw ended
    await pause(50)
  }
  return {
    origin,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, "exit")
      if (platform === "win32") child.kill()
      else process.kill(-child.pid, "SIGKILL")
      await exit
    }
  }
}
