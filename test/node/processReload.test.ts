import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { existsSync, readFileSync, renameSync } from "node:fs"
import { mkdir, rename, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { eventually } from "../fixtures/eventually.ts"
import { ping } from "../fixtures/messages.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { hang, jsonRpc, respond } from "../support/upstreamResponses.ts"
import { openConnection } from "./support/connection.ts"
import { startReloading } from "./support/reloading.ts"
import { temporaryDirectory } from "./support/scratch.ts"

const tokens = (...names: ReadonlyArray<string>) => names.map((name) => `${name}-token:client:${name}:read`).join(";")

/** A request on a connection that is kept. */
const bytes = (token: string, more: ReadonlyArray<string> = []) =>
  [
    "POST /mcp HTTP/1.1",
    "Host: 127.0.0.1",
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${ping.length}`,
    ...more,
    "",
    ping
  ].join("\r\n")

const statuses = (text: string) => [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status)

const linesIn = (path: string) => readFileSync(path, "utf8").split("\n").length - 1

/** Sends as many requests as it takes to reach each worker. */
const turns = [1, 2, 3, 4]

for (const workers of [1, 2]) {
  describe(`SIGHUP, with ${workers === 1 ? "one process" : "workers"}`, { timeout: 240_000 }, () => {
    it.live("RELOAD-01 lets the next request take the configuration as it is then, and says what has changed", () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        const config = { server_url: upstream.origin, static_tokens: tokens("alice") }
        const { gateway, reload, said, status } = yield* startReloading(config, { workers })
        const all = (token: string) => Effect.forEach(turns, () => status(token))
        assert.deepStrictEqual([yield* all("alice-token"), yield* all("bob-token")], [
          turns.map(() => 200),
          turns.map(() => 401)
        ])
        const next = { ...config, static_tokens: tokens("bob"), trace_header: "x-id" }
        const { annotations, level, message } = yield* reload(next)
        assert.deepStrictEqual([level, message], ["INFO", "configuration reloaded"])
        assert.deepStrictEqual(annotations, { generation: 2, changed: ["MCP_TRACE_HEADER", "provider static"] })
        assert.deepStrictEqual([yield* all("alice-token"), yield* all("bob-token")], [
          turns.map(() => 401),
          turns.map(() => 200)
        ])
        assert.strictEqual((yield* reload(next)).message, "configuration unchanged")
        yield* gateway.signal("SIGTERM")
        assert.deepInclude(yield* gateway.ended, { code: 0, stderr: "" })
        assert.lengthOf(said("worker ended"), 0)
      }))

    it.live("RELOAD-02 changes nothing if anything is wrong, and says everything that is, with fixes and without values", () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        const config = { server_url: upstream.origin, static_tokens: tokens("alice") }
        const { gateway, reload, status } = yield* startReloading(config, { workers })
        const bad: ReadonlyArray<readonly [unknown, ReadonlyArray<RegExp>]> = [
          ["{ not JSON", [/^MCP_CONFIG_FILE: .+\. .+/]],
          [
            { ...config, static_tokens: tokens("bob"), default_rule: "perhaps", max_waiting: 0 },
            [/^MCP_DEFAULT_RULE \(given as default_rule in the config file\): .+\. .+/, /^MCP_MAX_WAITING \(.+\. .+/]
          ],
          [{ ...config, static_tokens: tokens("bob"), ca_file: "/nonexistent/ca.pem" }, [
            /^MCP_CA_FILE: cannot be read \(ENOENT\)\. .+/
          ]],
          [{ ...config, static_tokens: tokens("bob"), audit_log: "/nonexistent/audit.log" }, [
            /^MCP_AUDIT_LOG: .+ENOENT.+/
          ]]
        ]
        for (const [file, expected] of bad) {
          const { annotations, level, message } = yield* reload(file as string)
          assert.deepStrictEqual([level, message], ["ERROR", "configuration not reloaded"])
          const problems = annotations["problems"] as ReadonlyArray<string>
          assert.strictEqual(problems.length, expected.length, JSON.stringify(problems))
          for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? "", pattern)
          assert.notInclude(JSON.stringify(annotations), "bob-token")
          for (const _ of turns) {
            assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [200, 401])
          }
        }
        const { annotations } = yield* reload({ ...config, static_tokens: tokens("bob") })
        assert.strictEqual(annotations["generation"], 2)
        for (const _ of turns) {
          assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [401, 200])
        }
        yield* gateway.signal("SIGTERM")
        assert.deepInclude(yield* gateway.ended, { code: 0, stderr: "" })
      }))

    it.live("RELOAD-03 rejects as a whole what would change a setting that takes effect at start only", () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        const config = { server_url: upstream.origin, static_tokens: tokens("alice") }
        const { reload, status } = yield* startReloading(config, { workers })
        const { annotations, message } = yield* reload({
          ...config,
          static_tokens: tokens("bob"),
          host: "127.0.0.2",
          max_token_bytes: 1024,
          admin_port: 0
        })
        assert.strictEqual(message, "configuration not reloaded")
        assert.deepStrictEqual(
          annotations["problems"],
          ["HOST", "MCP_MAX_TOKEN_BYTES", "MCP_ADMIN_PORT"].map((name) =>
            `${name}: has changed, and takes effect at start only. Restart the gateway, or set it to what it was.`
          )
        )
        for (const _ of turns) {
          assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [200, 401])
        }
      }))

    it.live("RELOAD-04 lets running requests and streams finish by the old rules, and a kept connection go on by the new", () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        const other = yield* makeRecordingUpstream
        const release = yield* Deferred.make<void>()
        yield* upstream.respondWith((request, response) =>
          Effect.gen(function*() {
            yield* request.body
            if (request.headers("x-kind").includes("stream")) {
              response.writeHead(200, { "content-type": "text/event-stream" })
              response.write("data: 1\n\n")
            }
            if (request.headers("x-kind").length > 0) yield* Deferred.await(release)
            if (response.headersSent) return void response.end("data: 2\n\n")
            yield* jsonRpc(request, response)
          })
        )
        const config = { server_url: upstream.origin, static_tokens: tokens("alice") }
        const { gateway, reload } = yield* startReloading(config, { workers })
        const open = Effect.fnUntraced(function*(kind: string) {
          const connection = yield* Effect.orDie(openConnection(gateway.origin))
          yield* connection.write(bytes("alice-token", kind === "" ? [] : [`X-Kind: ${kind}`]))
          return connection
        })
        const streams = [yield* open("stream"), yield* open("stream")]
        const slow = [yield* open("slow"), yield* open("slow")]
        const kept = [yield* open(""), yield* open("")]
        for (const one of streams) yield* one.awaitText("data: 1\n\n")
        for (const one of kept) yield* eventually(() => statuses(one.received()).length === 1)
        yield* upstream.awaitRequest(6)

        yield* reload({ ...config, static_tokens: tokens("bob"), server_url: other.origin })
        for (const one of kept) {
          yield* one.write(bytes("bob-token"))
          yield* one.awaitText("HTTP/1.1 200", 2)
          yield* one.write(bytes("alice-token"))
          yield* one.awaitText("HTTP/1.1 401")
        }
        assert.lengthOf(other.requests(), 2)
        assert.lengthOf(upstream.requests(), 6)
        yield* Deferred.succeed(release, undefined)
        for (const one of streams) yield* one.awaitText("data: 2\n\n")
        for (const one of slow) yield* one.awaitText("HTTP/1.1 200")
        // The connections of streams and slow requests are kept, too.
        for (const one of [...streams, ...slow]) {
          yield* one.write(bytes("bob-token"))
          yield* one.awaitText("HTTP/1.1 200", 2)
        }
        yield* gateway.signal("SIGTERM")
        assert.deepInclude(yield* gateway.ended, { code: 0, stderr: "" })
      }))

    it.live("RELOAD-05 keeps sessions, counters of unchanged limits, and the audit file, which it also opens anew", () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        yield* upstream.respondWith(
          respond({ headers: { "content-type": "application/json", "mcp-session-id": "own" }, body: "{}" })
        )
        const limit = { by: ["subject"], limit: 3 * workers, window: 3600 }
        const config = {
          server_url: upstream.origin,
          static_tokens: tokens("alice", "carol"),
          rate_limits: [limit],
          audit_log: "audit.log"
        }
        const scratch = yield* startReloading({ ...config, audit_log: undefined }, { workers })
        const audit = join(scratch.directory, "audit.log")
        const withAudit = { ...config, audit_log: audit }
        assert.strictEqual((yield* scratch.reload(withAudit)).message, "configuration reloaded")
        const { gateway, reload, status } = scratch
        const begun = yield* Effect.promise(() =>
          fetch(`${gateway.origin}/mcp`, {
            method: "POST",
            headers: { authorization: "Bearer alice-token", "content-type": "application/json", connection: "close" },
            body: ping
          })
        )
        const session = begun.headers.get("mcp-session-id") ?? ""
        assert.match(session, /\.own$/)
        renameSync(audit, `${audit}.1`)
        const changed = yield* reload({ ...withAudit, trace_header: "x-id" })
        assert.deepStrictEqual(changed.annotations["changed"], ["MCP_TRACE_HEADER"])
        yield* eventually(() => existsSync(audit))
        // One has been used. The remaining ones are left in all processes together, regardless of their distribution.
        const later = yield* Effect.forEach(
          Array.from({ length: 3 * workers * workers + workers }),
          () => status("alice-token", { "mcp-session-id": session })
        )
        assert.notInclude(later, 404)
        assert.isAtMost(later.filter((one) => one === 200).length, 3 * workers * workers - 1)
        assert.include(later, 429)
        assert.strictEqual(yield* status("carol-token", { "mcp-session-id": session }), 404)
        yield* reload({ ...withAudit, rate_limits: [{ ...limit, limit: 100 }] })
        assert.strictEqual(yield* status("alice-token", { "mcp-session-id": session }), 200)
        yield* gateway.signal("SIGTERM")
        yield* gateway.ended
        assert.strictEqual(linesIn(`${audit}.1`) + linesIn(audit), 1 + later.length + 2)
      }))

    it.live("RELOAD-06 logs as the new configuration says", () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        const config = { server_url: upstream.origin, static_tokens: tokens("alice") }
        const { gateway, status, write } = yield* startReloading(config, { workers })
        yield* write({ ...config, log_names: "ecs" })
        yield* gateway.signal("SIGHUP")
        yield* gateway.awaitOutput(/"message":"configuration reloaded"/)
        for (const _ of turns) yield* status("alice-token")
        yield* eventually(() => gateway.stdout().split(`"url.path":"/mcp"`).length === turns.length + 1)
        assert.notInclude(gateway.stdout(), `"path":"/mcp"`)
      }))
  })
}

/** Mounts files as Kubernetes does: links to a directory, all of which one link changes at once. */
const mount = (directory: string, version: string, files: Readonly<Record<string, string>>) =>
  Effect.promise(async () => {
    await mkdir(join(directory, `..${version}`))
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(directory, `..${version}`, name), text)
      if (!existsSync(join(directory, name))) await symlink(join("..data", name), join(directory, name))
    }
    await symlink(`..${version}`, join(directory, "..data_tmp"))
    await rename(join(directory, "..data_tmp"), join(directory, "..data"))
  })

describe("the admin port at a reload", { timeout: 240_000 }, () => {
  it.live("RELOAD-01 takes the new secret, and counts what came of it, for one process and for workers", () =>
    Effect.gen(function*() {
      for (const workers of [1, 2]) {
        const upstream = yield* makeRecordingUpstream
        const secrets = ["first", "second"].map((name) => `${name}-secret-of-the-admin-port-0123456789`)
        const config = { server_url: upstream.origin, static_tokens: tokens("alice"), admin_port: 0 }
        const { gateway, reload } = yield* startReloading({ ...config, admin_token: secrets[0] }, { workers })
        const [, admin = ""] = yield* gateway.awaitOutput(/"admin":"(http:[^"]+)"/)
        const metrics = (secret: string | undefined) =>
          Effect.promise(async () => {
            const response = await fetch(`${admin}/metrics`, { headers: { authorization: `Bearer ${secret}` } })
            return { status: response.status, text: await response.text() }
          })
        assert.strictEqual((yield* metrics(secrets[0])).status, 200)
        yield* reload("{ not JSON")
        assert.match(
          (yield* metrics(secrets[0])).text,
          /^mcp_authorizer_config_last_reload_successful(?:\{[^}]*\})? 0$/m
        )
        const configuration = (secret: string | undefined) =>
          Effect.promise(async () => {
            const response = await fetch(`${admin}/status.json`, { headers: { authorization: `Bearer ${secret}` } })
            return (await response.json()).configuration
          })
        const failed = yield* configuration(secrets[0])
        assert.strictEqual(failed.generation, 1)
        assert.match(failed.failed.problems[0], /^MCP_CONFIG_FILE: /)
        yield* reload({ ...config, admin_token: secrets[1] })
        assert.strictEqual((yield* metrics(secrets[0])).status, 401)
        const taken = yield* configuration(secrets[1])
        assert.deepStrictEqual([taken.generation, taken.failed], [2, undefined])
        assert.isAtLeast(taken.since, failed.failed.at)
        const { status, text } = yield* metrics(secrets[1])
        assert.strictEqual(status, 200)
        assert.match(text, /^mcp_authorizer_config_generation(?:\{[^}]*\})? 2$/m)
        assert.match(text, /^mcp_authorizer_config_last_reload_successful(?:\{[^}]*\})? 1$/m)
        assert.match(text, /^mcp_authorizer_config_reloads_total\{[^}]*outcome="loaded"[^}]*\} 1$/m)
        assert.match(text, /^mcp_authorizer_config_reloads_total\{[^}]*outcome="rejected"[^}]*\} 1$/m)
      }
    }))
})

describe("MCP_CONFIG_WATCH", { timeout: 240_000 }, () => {
  it.live("RELOAD-01 reads the configuration when a file was replaced, or a secret that it names, or a mounted volume changed", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const directory = yield* temporaryDirectory
      const secret = join(directory, "tokens")
      yield* mount(directory, "v1", { tokens: tokens("alice") })
      const config = { server_url: upstream.origin, static_tokens_file: secret, config_watch: true }
      const { reportAfter, status, write } = yield* startReloading(config)
      assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [200, 401])
      yield* reportAfter(mount(directory, "v2", { tokens: tokens("bob") }))
      assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [401, 200])
      const bad = yield* reportAfter(write({ ...config, max_waiting: 0 }))
      assert.strictEqual(bad.message, "configuration not reloaded")
      assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [401, 200])
      const good = yield* reportAfter(write({ ...config, max_waiting: 7 }))
      assert.deepInclude(good.annotations, { generation: 3, changed: ["MCP_MAX_WAITING"] })
    }))
})

describe("workers at a reload", { timeout: 240_000 }, () => {
  it.live("RELOAD-07 start with the newest configuration in place of one that has died", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const config = { server_url: upstream.origin, static_tokens: tokens("alice") }
      const { reload, said, status } = yield* startReloading(config, { workers: 2 })
      yield* reload({ ...config, static_tokens: tokens("bob") })
      for (const { pid } of said("worker ready")) process.kill(Number(pid), "SIGKILL")
      yield* eventually(() => said("worker ready").length === 4)
      for (const _ of turns) {
        assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [401, 200])
      }
    }))

  it.live("RELOAD-07 that die while they prepare are replaced by ones with the new configuration, and the others take it", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const issuer = yield* makeRecordingUpstream
      // Keys that do not arrive: the workers wait for them.
      yield* issuer.respondWith(hang)
      const config = { server_url: upstream.origin, static_tokens: tokens("alice") }
      const { gateway, reportAfter, said, status, write } = yield* startReloading(config, { workers: 2 })
      const providers = [
        { type: "static", tokens: tokens("bob") },
        { type: "oidc", issuer: issuer.origin, jwks_uri: `${issuer.origin}/jwks`, audience: "a" }
      ]
      yield* write({ server_url: upstream.origin, providers })
      const report = yield* Effect.forkChild(reportAfter(gateway.signal("SIGHUP")))
      yield* issuer.awaitRequest(2)
      assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [200, 401])
      const [first] = said("worker ready")
      process.kill(Number(first?.["pid"]), "SIGKILL")
      const { annotations, message } = yield* Fiber.join(report)
      assert.strictEqual(message, "configuration reloaded")
      assert.deepStrictEqual(annotations["not_ready"], ["oidc"])
      yield* eventually(() => said("worker ready").length === 3)
      for (const _ of turns) {
        assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [401, 200])
      }
    }))
})
