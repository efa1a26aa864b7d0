/** Rate limits in a store that several gateways share, and requests while it fails. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { GatewaySettings, RateLimit } from "../../src/config/GatewaySettings.ts"
import { readSettings } from "../../src/spin/settings.ts"
import { eventually } from "../fixtures/eventually.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { startRedis } from "../support/RedisServer.ts"
import { reservePort } from "../support/reservePort.ts"

const limitOf = (count: number): ReadonlyArray<RateLimit> => [{
  by: ["subject"],
  on: "messages",
  limit: count,
  windowMillis: 3_600_000,
  algorithm: "fixed-window",
  tools: undefined,
  servers: undefined
}]

/** A gateway that counts in a store, and the number of each of its log messages. */
const start = Effect.fnUntraced(function*(storeUrl: string, overrides: Partial<GatewaySettings> = {}) {
  const fixture = yield* GatewayFixture.make({
    rateLimits: limitOf(2),
    storeUrl,
    storeTimeoutMillis: 5_000,
    ...overrides
  })
  const one = Effect.map(fixture.send(), ({ responses: [response] }) => response ?? assert.fail("no response"))
  return {
    one,
    status: Effect.map(one, ({ status }) => status),
    statuses: (count: number) =>
      Effect.forEach(Array.from({ length: count }), () => Effect.map(one, ({ status }) => status)),
    said: (text: string) => fixture.logs.entries().filter((entry) => entry.includes(text)).length
  }
})

/** Waits until a gateway has its connection to the store: it does not wait for that at its start. */
const connected = (redis: Effect.Success<ReturnType<typeof startRedis>>, count: number) =>
  eventually(
    Effect.map(redis.command("CLIENT", "LIST"), (list) =>
      list.split("\n").filter((line) => /cmd=(?!client)/.test(line)).length >= count)
  )

const fails = "Rate limits are not shared with other processes"
const works = "Rate limits are shared with other processes again"

/** A server that speaks as it likes in place of a store. */
const startImpostor = (reply: (socket: Socket, data: Buffer) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() =>
        new Promise<{ readonly url: string; readonly close: () => void }>((resolve) => {
          const sockets = new Set<Socket>()
          const server = createServer((socket) => {
            sockets.add(socket)
            socket.on("error", () => undefined)
            socket.on("data", (data) => reply(socket, data))
          })
          server.listen(0, "127.0.0.1", () => {
            const address = server.address()
            const port = typeof address === "object" ? address?.port : undefined
            resolve({
              url: `redis://127.0.0.1:${port}`,
              close: () => {
                server.close()
                for (const socket of sockets) socket.destroy()
              }
            })
          })
        })
      ),
      ({ close }) => Effect.sync(close)
    ),
    ({ url }) => url
  )

const variables = (more: ReadonlyArray<readonly [string, string]>) => ({
  variables: () => [
    ["mcp_server_url", "https://mcp.example/mcp"] as const,
    ["mcp_static_tokens", "dev-token:c:s:"] as const,
    ...more
  ]
})

layer(Layer.empty, { excludeTestServices: true, timeout: "120 seconds" })("a store of limits", (it) => {
  it.effect("LIMIT-08 four gateways with one store MUST share a limit, also at the same time", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const gateways = yield* Effect.forEach(
        Array.from({ length: 4 }),
        () => start(redis.url, { rateLimits: limitOf(10), storeFailure: "closed" })
      )
      yield* connected(redis, 4)
      const statuses = yield* Effect.forEach(gateways, ({ statuses }) => statuses(8), { concurrency: "unbounded" })
      assert.lengthOf(statuses.flat().filter((status) => status === 200), 10)
      assert.lengthOf(statuses.flat().filter((status) => status === 429), 22)
    }))

  it.effect("LIMIT-10 a gateway MUST start and serve while its store is down, and count in it when it is there", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      yield* redis.kill
      const { said, statuses } = yield* start(redis.url)
      assert.deepStrictEqual(yield* statuses(5), [200, 200, 200, 200, 200])
      assert.strictEqual(said(fails), 1)
      yield* redis.start
      // Messages that passed while it was down were not counted.
      yield* eventually(Effect.map(statuses(1), ([status]) => status === 429))
      assert.deepStrictEqual([said(fails), said(works)], [1, 1])
      assert.deepStrictEqual(yield* statuses(2), [429, 429])
    }))

  it.effect("LIMIT-10 MUST treat requests as MCP_STORE_FAILURE says while the store is down", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      yield* redis.kill
      const closed = yield* start(redis.url, { storeFailure: "closed" })
      const response = yield* closed.one
      assert.deepStrictEqual([response.status, response.headers("retry-after")], [503, ["1"]])
      const local = yield* start(redis.url, { storeFailure: "local" })
      assert.deepStrictEqual(yield* local.statuses(4), [200, 200, 429, 429])
    }))

  it.effect("LIMIT-10 MUST survive a store that restarts in the middle, and go on with a flushed one", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      const { statuses } = yield* start(redis.url, { storeFailure: "closed" })
      yield* eventually(Effect.map(statuses(1), ([status]) => status === 429))
      yield* redis.command("FLUSHALL")
      yield* redis.command("SCRIPT", "FLUSH")
      assert.deepStrictEqual(yield* statuses(3), [200, 200, 429])
      yield* redis.kill
      assert.deepStrictEqual(yield* statuses(2), [503, 503])
      yield* redis.start
      yield* eventually(Effect.map(statuses(1), ([status]) => status === 200))
      yield* eventually(Effect.map(statuses(1), ([status]) => status === 429))
    }))

  it.effect("LIMIT-10 MUST NOT wait for a store that responds no more, and ask it again when it does", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis()
      // If each request waited, the test would be over before they are.
      const { said, statuses } = yield* start(redis.url, { rateLimits: limitOf(1_000_000), storeTimeoutMillis: 1_000 })
      yield* connected(redis, 1)
      yield* statuses(1)
      yield* redis.stall
      assert.deepStrictEqual(new Set(yield* statuses(200)), new Set([200]))
      assert.strictEqual(said(fails), 1)
      yield* redis.resume
      yield* eventually(Effect.map(statuses(1), () => said(works) === 1))
    }))

  it.effect("LIMIT-10 MUST treat a full store as one that fails", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis(["--maxmemory", "1", "--maxmemory-policy", "noeviction"])
      const { said, statuses } = yield* start(redis.url)
      yield* connected(redis, 1)
      assert.deepStrictEqual(yield* statuses(4), [200, 200, 200, 200])
      assert.strictEqual(said(fails), 1)
      yield* redis.command("CONFIG", "SET", "maxmemory", "0")
      yield* eventually(Effect.map(statuses(1), ([status]) => status === 429))
    }))

  const lies: Readonly<Record<string, string>> = {
    "no Redis at all": "HTTP/1.1 400 Bad Request\r\n\r\n",
    "nothing but success": "+OK\r\n",
    "an invalid index": "*2\r\n:99\r\n:1\r\n",
    "an endless wait": "*2\r\n:1\r\n:999999999999999\r\n",
    "more replies than questions": "+OK\r\n+OK\r\n:1\r\n*0\r\n",
    "a number": ":1\r\n",
    "text": "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    "an error": "-ERR alice@example.com\r\n",
    "nothing": ""
  }
  for (const [name, reply] of Object.entries(lies)) {
    it.effect(`LIMIT-10 MUST continue regardless of a lying store: ${name}`, () =>
      Effect.gen(function*() {
        const url = yield* startImpostor((socket) => socket.write(reply))
        const { one, said, statuses } = yield* start(url)
        const seen = new Set(yield* statuses(20))
        assert.isTrue([...seen].every((status) => status === 200 || status === 429), [...seen].join())
        if (seen.has(429)) {
          const { headers } = yield* one
          for (const wait of headers("retry-after")) assert.isAtMost(Number(wait), 3_600)
        } else assert.strictEqual(said(fails), 1)
        assert.strictEqual(said("alice"), 0)
      }))
  }

  it.effect("LIMIT-08 MUST show the store its password, as a user where one is named", () =>
    Effect.gen(function*() {
      const redis = yield* startRedis([
        "--requirepass",
        "right",
        "--user",
        "gateway",
        "on",
        ">own",
        "~*",
        "&*",
        "+@all"
      ])
      for (
        const [url, password, isRight] of [
          [redis.url, "right", true],
          [redis.url, "wrong", false],
          [redis.url.replace("//", "//gateway@"), "own", true],
          [redis.url.replace("//", "//gateway@"), "right", false]
        ] as const
      ) {
        const { said, status } = yield* start(`${url}/3`, {
          storePassword: Redacted.make(password),
          storeKeyPrefix: `${password}-${isRight}:`,
          storeFailure: "closed"
        })
        if (isRight) yield* eventually(Effect.map(status, (status) => status === 429))
        else assert.strictEqual(yield* status, 503)
        assert.strictEqual(said(password), 0)
      }
    }))

  it.effect("LIMIT-08 MUST speak TLS to the store, and trust only MCP_CA_FILE", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "mcp-authorizer-store-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")]
      const words = `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=store -keyout ${key} -out ${certificate}`
      execFileSync("openssl", [...words.split(" "), "-addext", "subjectAltName=IP:127.0.0.1"], { stdio: "ignore" })
      const secure = yield* reservePort
      yield* startRedis([
        "--tls-port",
        String(secure),
        "--tls-auth-clients",
        "no",
        "--tls-cert-file",
        certificate,
        "--tls-key-file",
        key
      ])
      const url = `rediss://127.0.0.1:${secure}`
      const trusting = yield* start(url, { caFile: certificate, storeFailure: "closed" })
      assert.deepStrictEqual(yield* trusting.statuses(3), [200, 200, 429])
      const stranger = yield* start(url, { storeFailure: "closed" })
      assert.deepStrictEqual(yield* stranger.statuses(1), [503])
    }))

  it.effect("LIMIT-11 MUST NOT start on Spin, where nothing could be counted", () =>
    Effect.sync(() => {
      assert.isTrue(readSettings(variables([]))._tag === "Success")
      for (
        const [name, value] of [
          ["mcp_rate_limits", `[{"by":["subject"],"limit":1,"window":1}]`],
          ["mcp_store_url", "redis://127.0.0.1"]
        ] as const
      ) {
        const read = readSettings(variables([[name, value]]))
        if (read._tag === "Success") assert.fail(`${name} is accepted`)
        assert.deepStrictEqual(read.failure.problems.map(({ setting }) => setting), [name.toUpperCase()])
      }
    }))
})
