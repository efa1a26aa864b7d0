import { transpile } from "@bytecodealliance/jco"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"

export const makeRunnable = async (component, directory) => {
  const { files } = await transpile(await readFile(component), { name: "app", instantiation: "sync" })
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
}
