/**
 * A WASI host for the component: HTTP on loopback, a new instance for each request, a key-value store that outlives them.
 *
 * `node host.mjs <directory of the transpiled component> [directory of entries that hosts share]`, as a child process
 * with a message channel: while an instance runs, nothing else in this process does. It sends `{ port }` first, and
 * replies to every message. `{ variables, store, outboundHosts }` restarts, with `outboundHosts` as
 * `allowed_outbound_hosts` of a manifest, `{ variables }` keeps what is stored, `{ age }` advances the time by this
 * number of seconds for the documents of providers in the store, `{ list: true }` gets `{ names }` with those of its
 * entries. What the component logs goes to standard output.
 */
import { HTTPServer, outgoingHandler, types } from "@bytecodealliance/preview2-shim/http"
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { aged } from "./aged.mjs"
import { isAllowed } from "./outboundHosts.mjs"
import { SharedEntries } from "./sharedEntries.mjs"
import { requestFields } from "./spinFields.mjs"

const directory = process.argv[2]
const { instantiate } = await import(pathToFileURL(join(directory, "app.js")))

const modules = new Map()
const coreModule = (name) => {
  if (!modules.has(name)) modules.set(name, new WebAssembly.Module(readFileSync(join(directory, name))))
  return modules.get(name)
}

// The shim cannot send a response whose body was never requested, so it is requested here, and ended immediately. Its
// declared length is that of another response (HEAD), and must not be checked.
const { Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam } = types
const withBody = new WeakSet()
const { body } = OutgoingResponse.prototype
OutgoingResponse.prototype.body = function() {
  withBody.add(this)
  return body.call(this)
}
const emptyBody = (response) => {
  const headers = response.headers()
  headers.get = () => []
  const empty = response.body()
  delete headers.get
  return empty
}
const responded = new WeakSet()
const { set } = ResponseOutparam
ResponseOutparam.set = (outparam, response) => {
  responded.add(outparam)
  const empty = response.tag === "ok" && !withBody.has(response.val) ? emptyBody(response.val) : undefined
  set(outparam, response)
  if (empty !== undefined) OutgoingBody.finish(empty)
}

// Spin describes the request to the component in its own fields, after those of the same names that the client sent.
const { headers } = IncomingRequest.prototype
IncomingRequest.prototype.headers = function() {
  const all = headers.call(this).clone()
  const host = new TextDecoder().decode(all.get("host")[0] ?? new Uint8Array())
  for (const [name, value] of requestFields(host, this.pathWithQuery() ?? "/")) {
    all.append(name, new TextEncoder().encode(value))
  }
  return all
}

let variables = {}
let outboundHosts = ["*://*:*"]
let store = "granted"
const entries = process.argv[3] === undefined ? new Map() : new SharedEntries(process.argv[3])

const whenWorking = (operation) => {
  if (store === "failing") throw { tag: "other", val: "out of order" }
  return operation()
}

class Bucket {
  get(key) {
    return whenWorking(() => entries.get(key))
  }
  set(key, value) {
    whenWorking(() => entries.set(key, Uint8Array.from(value)))
  }
  delete(key) {
    whenWorking(() => entries.delete(key))
  }
}

const alone = (operation) => entries instanceof SharedEntries ? entries.alone(operation) : operation()

/** A number of 64 bits, little-endian, as Spin stores it. */
const increment = (_bucket, key, delta) =>
  whenWorking(() =>
    alone(() => {
      const value = (entries.has(key) ? new DataView(entries.get(key).buffer).getBigInt64(0, true) : 0n) + delta
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigInt64(0, value, true)
      entries.set(key, bytes)
      return value
    })
  )

const open = (name) => {
  if (store === "denied") throw { tag: "access-denied" }
  if (name !== "default") throw { tag: "no-such-store" }
  return new Bucket()
}

const handleOutgoing = (request, options) => {
  const scheme = request.scheme()?.tag === "HTTPS" ? "https" : "http"
  if (isAllowed(outboundHosts, scheme, request.authority() ?? "")) return outgoingHandler.handle(request, options)
  const host = `${scheme}://${request.authority()}`
  process.stderr.write(`A component tried to make an outbound network connection to disallowed destination '${host}'.\n`)
  throw { tag: "HTTP-request-denied" }
}

const imports = {
  ...new WASIShim().getImportObject(),
  "wasi:http/outgoing-handler": { handle: handleOutgoing },
  "wasi:keyvalue/store": { open, Bucket },
  "wasi:keyvalue/atomics": { increment },
  "wasi:config/store": { getAll: () => Object.entries(variables) }
}

// What other hosts send where an instance ends without a response, as the engine does for a `Host` that no URL can have.
const internalError = () => {
  const response = new OutgoingResponse(new Fields())
  response.setStatusCode(500)
  return { tag: "ok", val: response }
}

const server = new HTTPServer({
  handle: (request, outparam) => {
    try {
      instantiate(coreModule, imports).incomingHandler.handle(request, outparam)
    } catch (error) {
      process.stderr.write(`${error}\n`)
      if (!responded.has(outparam)) ResponseOutparam.set(outparam, internalError())
    }
  }
})

process.on("message", (told) => {
  if (told.list) return process.send({ names: [...entries.keys()] })
  if (told.age !== undefined) {
    for (const [name, value] of entries) entries.set(name, aged(name, value, told.age))
  } else {
    variables = told.variables
  }
  if (told.store !== undefined) {
    store = told.store
    outboundHosts = told.outboundHosts ?? ["*://*:*"]
    entries.clear()
  }
  process.send({ ready: true })
})
process.on("disconnect", () => process.exit(0))

server.listen(0, "127.0.0.1")
process.send({ port: server.address().port })
