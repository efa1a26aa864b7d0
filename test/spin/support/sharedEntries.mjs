/**
 * The entries of a key-value store in a directory, for hosts that are processes of their own: what one writes, all read.
 *
 * Each operation is synchronous, as it is for a component. One host at a time changes an entry that depends on what is there.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const pause = new Int32Array(new SharedArrayBuffer(4))

const ifThere = (operation) => {
  try {
    return operation()
  } catch (error) {
    if (error.code === "ENOENT") return undefined
    throw error
  }
}

/** In the form of the `Map` of one host. */
export class SharedEntries {
  #directory
  #written = 0

  constructor(directory) {
    this.#directory = directory
  }

  #path(key) {
    return join(this.#directory, `${createHash("sha256").update(key).digest("hex")}.json`)
  }

  #read(path) {
    const text = ifThere(() => readFileSync(path, "utf8"))
    return text === undefined ? undefined : JSON.parse(text)
  }

  get(key) {
    const entry = this.#read(this.#path(key))
    return entry === undefined ? undefined : Uint8Array.from(Buffer.from(entry.value, "base64"))
  }

  has(key) {
    return this.get(key) !== undefined
  }

  set(key, value) {
    const unfinished = join(this.#directory, `${process.pid}.${this.#written++}`)
    writeFileSync(unfinished, JSON.stringify({ key, value: Buffer.from(value).toString("base64") }))
    renameSync(unfinished, this.#path(key))
  }

  delete(key) {
    rmSync(this.#path(key), { force: true })
  }

  clear() {
    for (const name of this.#names()) rmSync(join(this.#directory, name), { force: true })
  }

  keys() {
    return this.#names().flatMap((name) => this.#read(join(this.#directory, name))?.key ?? [])
  }

  *[Symbol.iterator]() {
    for (const key of this.keys()) {
      const value = this.get(key)
      if (value !== undefined) yield [key, value]
    }
  }

  /** Runs an operation that no other host may come between. */
  alone(operation) {
    const lock = join(this.#directory, "lock")
    while (!acquired(lock)) Atomics.wait(pause, 0, 0, 1)
    try {
      return operation()
    } finally {
      rmdirSync(lock)
    }
  }

  #names() {
    return readdirSync(this.#directory).filter((name) => name.endsWith(".json"))
  }
}

const acquired = (lock) => {
  try {
    mkdirSync(lock)
    return true
  } catch (error) {
    if (error.code === "EEXIST") return false
    throw error
  }
}
