/**
 * Several hosts of the component behind one address, as an instance blocks the process that it runs in: requests on different
 * connections are handled at the same time, each in an instance of its own. The hosts share one store.
 *
 * `node sideBySide.mjs <directory of the transpiled component> <number of hosts>`. It gets the same messages as
 * `host.mjs`.
 */
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const [directory, count] = process.argv.slice(2)
const store = mkdtempSync(join(tmpdir(), "mcp-authorizer-store-"))

const start = async () => {
  const child = fork(fileURLToPath(new URL("host.mjs", import.meta.url)), [directory, store])
  const [{ port }] = await once(child, "message")
  return { child, port, connections: 0 }
}
const hosts = await Promise.all(Array.from({ length: Number(count) }, start))

const server = createServer((client) => {
  const host = hosts.reduce((least, other) => other.connections < least.connections ? other : least)
  host.connections++
  const upstream = connect(host.port, "127.0.0.1")
  client.pipe(upstream).pipe(client)
  client.on("error", () => upstream.destroy())
  upstream.on("error", () => client.destroy())
  upstream.on("close", () => {
    client.destroy()
    host.connections--
  })
  client.on("close", () => upstream.destroy())
})

process.on("message", async (told) => {
  const responses = await Promise.all(hosts.map(async ({ child }) => {
    const replied = once(child, "message")
    child.send(told)
    return (await replied)[0]
  }))
  process.send(responses[0])
})
const end = () => {
  for (const { child } of hosts) child.kill("SIGKILL")
  rmSync(store, { recursive: true, force: true })
  process.exit(0)
}
process.on("disconnect", end)
process.on("SIGTERM", end)

server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }))
