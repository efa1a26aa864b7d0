/** Documents of clients from public addresses, in a network of its own that has one. */
import { assert, describe, it } from "@effect/vitest"
import { build } from "esbuild"
import { execFile, spawnSync } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const run = promisify(execFile)

interface Outcome {
  readonly name: string
  readonly outcomes: ReadonlyArray<string>
  readonly reached: ReadonlyArray<string>
}

const network = ["-rn", "sh", "-c", "ip link set lo up && ip addr add 8.8.8.8/32 dev lo && exec \"$@\"", "sh"]

/** Containers often may not have networks of their own. */
const isPossible = spawnSync("unshare", [...network, "true"]).status === 0

const fetchDocuments = async (folder: string): Promise<Readonly<Record<string, Outcome>>> => {
  const [certificate, key, program] = ["cert.pem", "key.pem", "program.mjs"].map((name) => join(folder, name))
  await run("openssl", [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=app.example".split(" "),
    "-addext",
    "subjectAltName=DNS:app.example",
    "-out",
    certificate ?? "",
    "-keyout",
    key ?? ""
  ])
  await build({
    entryPoints: [fileURLToPath(new URL("network/fetchDocuments.ts", import.meta.url))],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: program ?? "",
    banner: { js: "import { createRequire } from \"node:module\"; const require = createRequire(import.meta.url);" },
    logLevel: "silent"
  })
  const { stdout } = await run("unshare", [...network, process.execPath, program ?? "", certificate ?? "", key ?? ""])
  const outcomes: ReadonlyArray<Outcome> = stdout.trim().split("\n").map((line) => JSON.parse(line))
  return Object.fromEntries(outcomes.map((outcome) => [outcome.name, outcome]))
}

describe("the document of a client", () => {
  it(
    "is fetched from a public address, and nothing leads from there to a private one, where a network can be made",
    async () => {
      if (!isPossible) return
      const folder = await mkdtemp(join(tmpdir(), "public-"))
      try {
        const found = await fetchDocuments(folder)
        assert.deepStrictEqual(found["public"]?.outcomes, ["fetched"])
        assert.deepStrictEqual(found["public"]?.reached, ["8.8.8.8/client.json"])
        assert.match(found["redirect"]?.outcomes[0] ?? "", /the status is 302/)
        assert.deepStrictEqual(found["redirect"]?.reached, ["8.8.8.8/redirect.json"])
        // A name server with another address the next time, also on kept connections.
        const [first = "", ...later] = found["rebinding"]?.outcomes ?? []
        assert.match(first, /the status is 302/)
        assert.lengthOf(later, 2)
        for (const outcome of later) assert.match(outcome, /status is 302|not public/)
        for (const one of found["rebinding"]?.reached ?? []) assert.match(one, /^8\.8\.8\.8\//)
        // The guard allows public addresses, even if nothing listens there.
        assert.match(found["nowhere"]?.outcomes[0] ?? "", /cannot be fetched/)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    }
  )
})
