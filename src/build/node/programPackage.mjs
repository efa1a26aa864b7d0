import { chmod, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"

/** The name of the program in the registry; its command has the name of the project. */
const programName = "mcp-authorizer-gateway"

/** The manifest of the program's package. It has no dependencies: everything it needs is part of it. */
export const programManifest = (
  { bugs, description, engines, homepage, keywords, license, name, publishConfig, repository, version }
) => ({
  name: programName,
  version,
  description,
  keywords,
  homepage,
  bugs,
  repository,
  license,
  type: "module",
  bin: { [name]: "main.js" },
  engines,
  publishConfig
})

/** What the program consists of. */
const programFiles = [
  "main.js",
  "node/cli.js",
  "node/redisClient.js",
  "node/service.js",
  "LICENSES.txt",
  "sbom.cdx.json"
]

/** Puts the program's package together in `dist/program`, as `npm publish ./dist/program` and the image take it. */
export const writeProgramPackage = async (dist, manifest) => {
  const folder = join(dist, "program")
  await rm(folder, { recursive: true, force: true })
  for (const file of programFiles) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    const text = await readFile(join(dist, file), "utf8")
    // The source maps are not part of it.
    await writeFile(join(folder, file), text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"))
  }
  await chmod(join(folder, "main.js"), 0o755)
  await writeFile(join(folder, "package.json"), `${JSON.stringify(programManifest(manifest), undefined, 2)}\n`)
  await cp(new URL("../../../LICENSE", import.meta.url), join(folder, "LICENSE"))
  await cp(new URL("program.md", import.meta.url), join(folder, "README.md"))
}
