/** Says which Spin the tests run in, or what is missing, before the component is built. */
import { spin } from "./spin.mjs"

export const setup = async (): Promise<void> => {
  const version = (await spin(["--version"])).trim()
  process.stdout.write(`${version}\n`)
  const [, major = "0"] = /^spin (\d+)\./.exec(version) ?? []
  if (Number(major) < 3) throw new Error(`the component needs Spin 3.0 or newer, and this is ${version}`)
}
