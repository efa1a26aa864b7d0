import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync, renameSync, statSync } from "node:fs"
import { mkdir, rm } from "node:fs/promises"
import { join } from "node:path"
import type { AuditEntry } from "../../src/audit/AuditEntry.ts"
import { eventually } from "../fixtures/eventually.ts"
import { toolCall } from "../fixtures/messages.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { type GatewayProgram, startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { type ProgramOptions, runProgram } from "./support/Program.ts"
import { temporaryDirectory } from "./support/scratch.ts"

/** Every line of a file, each of which must be a whole entry. */
const entriesOf = (path: string): ReadonlyArray<AuditEntry> =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line)) : []

const call = (gateway: GatewayProgram, traceId: string, token = "dev-token", path = "/mcp") =>
  Effect.tryPromise(() =>
    fetch(`${gateway.origin}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "x-trace-id": traceId },
      body: toolCall("greet")
    }).then(async (response) => {
      await response.text()
      return response.status
    })
  )

/** A gateway with an audit file in a directory of its own. */
const start = Effect.fnUntraced(function*({ env, ...options }: ProgramOptions = {}) {
  const directory = join(yield* temporaryDirectory, "audit")
  yield* Effect.promise(() => mkdir(directory))
  const path = join(directory, "audit.log")
  const upstream = yield* makeRecordingUpstream
  const gateway = yield* startGatewayProgram({
    ...options,
    env: { ...staticSettings(upstream.origin), MCP_AUDIT_LOG: path, ...env }
  })
  return { directory, gateway, path }
})

const traceIds = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index}`)

const traced = (entries: ReadonlyArray<AuditEntry>) => entries.map(({ trace_id }) => trace_id).toSorted()

describe("the audit log of the program", { timeout: 60_000 }, () => {
  it.live("has an entry for each request once the process has ended, and can be read by owner and group alone", () =>
    Effect.gen(function*() {
      const { gateway, path } = yield* start()
      const ids = traceIds("good", 100)
      yield* Effect.forEach(ids, (id) => call(gateway, id), { concurrency: 20 })
      assert.strictEqual(yield* call(gateway, "bad", "wrong-token"), 401)
      yield* gateway.signal("SIGTERM")
      assert.strictEqual((yield* gateway.ended).code, 0)
      const entries = entriesOf(path)
      assert.deepStrictEqual(traced(entries), ["bad", ...ids].toSorted())
      assert.strictEqual(statSync(path).mode & 0o777, 0o640)
      const [bad, ...more] = entries.filter(({ decision }) => decision !== "allowed")
      assert.deepStrictEqual(more, [])
      assert.deepInclude(bad, { decision: "unauthenticated", error: "InvalidToken", status: 401, http_method: "POST" })
      assert.notProperty(bad, "subject")
      assert.deepInclude(entries.find(({ trace_id }) => trace_id === "good-0"), {
        client_address: "127.0.0.1",
        provider: "static",
        subject: "dev-user",
        client: "dev-client",
        method: "tools/call",
        tool: "greet",
        decision: "allowed",
        status: 200
      })
      assert.notInclude(readFileSync(path, "utf8"), "-token")
    }))

  it.live("is one for all servers, and names the server of each entry, as the log does", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const path = join(yield* temporaryDirectory, "audit.log")
      const gateway = yield* startGatewayProgram({
        env: {
          MCP_STATIC_TOKENS: "dev-token:dev-client:dev-user:read",
          MCP_AUDIT_LOG: path,
          MCP_SERVERS: JSON.stringify(
            ["notes", "files"].map((name) => ({ name, path: `/${name}/mcp`, url: `${upstream.origin}/${name}` }))
          )
        }
      })
      for (const name of ["notes", "files"]) {
        assert.strictEqual(yield* call(gateway, name, "dev-token", `/${name}/mcp`), 200)
      }
      yield* gateway.signal("SIGTERM")
      yield* gateway.ended
      const named = [["files", "files"], ["notes", "notes"]]
      assert.deepStrictEqual(entriesOf(path).map(({ server, trace_id }) => [trace_id, server]).toSorted(), named)
      const logged = gateway.log().filter(({ message }) => message === "request").map(({ annotations }) => annotations)
      assert.deepStrictEqual(logged.map(({ server, trace_id }) => [trace_id, server]).toSorted(), named)
    }))

  for (const workers of [1, 2]) {
    it.live(`goes on under its name after SIGHUP and loses no entry, with --workers ${workers}`, () =>
      Effect.gen(function*() {
        const { gateway, path } = yield* start({ args: ["--workers", String(workers)] })
        const before = traceIds("before", 50)
        const after = traceIds("after", 50)
        if (workers > 1) yield* gateway.awaitOutput(/(?:"worker ready"[^]*\n[^]*){2}/)
        yield* Effect.forEach(before, (id) => call(gateway, id), { concurrency: 10 })
        yield* eventually(() => entriesOf(path).length === 50)
        renameSync(path, `${path}.1`)
        yield* gateway.signal("SIGHUP")
        yield* eventually(() => existsSync(path))
        yield* Effect.forEach(after, (id) => call(gateway, id), { concurrency: 10 })
        yield* gateway.signal("SIGTERM")
        assert.strictEqual((yield* gateway.ended).code, 0)
        const all = [...entriesOf(`${path}.1`), ...entriesOf(path)]
        assert.deepStrictEqual(traced(all), [...before, ...after].toSorted())
        assert.isNotEmpty(entriesOf(path))
      }))
  }

  it.live("costs no request while its directory is gone, says so, and has the entries of that time later", () =>
    Effect.gen(function*() {
      const { directory, gateway, path } = yield* start()
      yield* Effect.promise(() => rm(directory, { recursive: true }))
      assert.strictEqual(yield* call(gateway, "gone"), 200)
      yield* gateway.awaitOutput(/The audit log cannot be written.*ENOENT.*\n/)
      yield* Effect.promise(() => mkdir(directory))
      yield* gateway.awaitOutput(/The audit log is written again\..*"dropped_entries":0.*\n/)
      assert.deepStrictEqual(traced(entriesOf(path)), ["gone"])
    }))

  it.live("costs no request while the disk is full, and says at the end how many entries are lost", () =>
    Effect.gen(function*() {
      const { gateway } = yield* start({ env: { MCP_AUDIT_LOG: "/dev/full" } })
      for (const id of traceIds("full", 5)) assert.strictEqual(yield* call(gateway, id), 200)
      yield* gateway.awaitOutput(/The audit log cannot be written.*ENOSPC.*\n/)
      yield* gateway.signal("SIGTERM")
      const { code, stderr } = yield* gateway.ended
      assert.deepStrictEqual([code, stderr], [0, ""])
      const errors = gateway.log().filter(({ level }) => level === "ERROR").map(({ annotations, message }) => [
        String(message).split(". ")[0],
        annotations["code"],
        annotations["dropped_entries"]
      ])
      assert.deepStrictEqual(errors, [
        ["The audit log cannot be written", "ENOSPC", undefined],
        ["Entries of the audit log are lost.", undefined, 5]
      ])
    }))

  it.live("is rejected at start, with a fix, if it cannot be written, with one worker and with two", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      for (const path of [join(directory, "missing", "audit.log"), directory]) {
        for (const args of [["--workers", "1"], ["--workers", "2"], ["--check"]]) {
          const { code, stderr } = yield* runProgram({
            args,
            env: { ...staticSettings("http://127.0.0.1:9"), PORT: "0", MCP_AUDIT_LOG: path }
          })
          assert.strictEqual(code, 1)
          assert.match(stderr, /MCP_AUDIT_LOG: cannot be opened for appending \(E[A-Z]+\)\. Name a file in a directory/)
          assert.notInclude(stderr, path)
        }
      }
    }))

  it.live("is among the lines of the log on standard output, each whole, with two workers", () =>
    Effect.gen(function*() {
      const { gateway } = yield* start({ args: ["--workers", "2"], env: { MCP_AUDIT_LOG: "stdout" } })
      const ids = traceIds("mixed", 100)
      yield* Effect.forEach(ids, (id) => call(gateway, id), { concurrency: 20 })
      yield* gateway.signal("SIGTERM")
      const { stdout } = yield* gateway.ended
      const lines: ReadonlyArray<Partial<AuditEntry>> = stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line))
      assert.deepStrictEqual(traced(lines.filter((line): line is AuditEntry => "decision" in line)), ids.toSorted())
    }))

  it.live("names callers by the same pseudonyms in every process with the same key", () =>
    Effect.gen(function*() {
      const named = Effect.fnUntraced(function*(key: string) {
        const { gateway, path } = yield* start({ env: { MCP_AUDIT_SUBJECTS: "hmac", MCP_SESSION_KEY: key } })
        yield* call(gateway, "one")
        yield* gateway.signal("SIGTERM")
        yield* gateway.ended
        const [entry] = entriesOf(path)
        assert.notInclude(readFileSync(path, "utf8"), "dev-")
        return [entry?.subject, entry?.client]
      })
      const key = "a-key-of-sufficient-length-for-tests"
      const [first, again, other] = yield* Effect.all([named(key), named(key), named(`${key}-2`)])
      assert.match(String(first?.[0]), /^[0-9a-f]{32}$/)
      assert.deepStrictEqual(again, first)
      assert.notDeepEqual(other, first)
      assert.notStrictEqual(first?.[0], first?.[1])
    }))
})
