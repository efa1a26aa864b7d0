import * as Effect from "effect/Effect"
import { assert, describe, it } from "vitest"
import type { Status } from "../../src/admin/page/Status.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { eventually } from "../fixtures/eventually.ts"
import { toolCall } from "../fixtures/messages.ts"
import { type GatewayProgram, startGatewayProgram } from "../node/support/GatewayProgram.ts"
import { temporaryFile } from "../node/support/scratch.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { useBrowser } from "./browser.ts"

const withPage = useBrowser()

const audience = "https://mcp.example.com/wiki"

/** A gateway with two MCP servers and two providers, one of each missing. */
const start = Effect.fnUntraced(function*(workers: string) {
  const upstream = yield* makeRecordingUpstream
  const issuer = yield* TestIssuer.make({ audience, subject: "alice" })
  const file = yield* temporaryFile(
    "gateway.json",
    JSON.stringify({
      public_url: "https://mcp.example.com",
      providers: [
        { type: "oidc", name: "staff", issuer: issuer.issuer, audience: "auto" },
        { type: "oidc", name: "partners", issuer: "http://127.0.0.1:9/partners", audience: "auto" }
      ],
      servers: [
        { name: "wiki", path: "/wiki", url: `${upstream.origin}/mcp` },
        { name: "tickets", path: "/tickets", url: "http://127.0.0.1:9/mcp" }
      ]
    })
  )
  const gateway = yield* startGatewayProgram({
    env: { MCP_CONFIG_FILE: file, MCP_ADMIN_PORT: "0", MCP_WORKERS: workers }
  })
  const [, admin = ""] = yield* gateway.awaitOutput(/"admin":"(http:[^"]+)"/)
  return { admin, gateway, issuer, upstream }
})

const post = (gateway: GatewayProgram, path: string, token: string | undefined, body = toolCall("search")) =>
  Effect.promise(async () => {
    const response = await fetch(`${gateway.origin}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
      },
      body
    })
    await response.text()
    return response.status
  })

const statusOf = (admin: string) =>
  Effect.promise(async (): Promise<Status> => JSON.parse(await (await fetch(`${admin}/status.json`)).text()))

/** Waits until the status is as it should be: with workers, it comes from several processes. */
const statusWhen = Effect.fnUntraced(function*(admin: string, isRight: (status: Status) => boolean) {
  let status = yield* statusOf(admin)
  yield* eventually(
    Effect.suspend(() =>
      isRight(status) ? Effect.succeed(true) : Effect.map(Effect.delay(statusOf(admin), 100), (next) => {
        status = next
        return false
      })
    )
  )
  return status
})

/** Some requests of each kind: how many are passed, rejected and failed is known. */
const traffic = Effect.fnUntraced(function*({ gateway, issuer }: Effect.Success<ReturnType<typeof start>>) {
  const good = yield* issuer.sign()
  const expired = yield* issuer.sign({ expiresIn: "-1 hour" })
  const elsewhere = yield* issuer.sign({ claims: { aud: "https://api.example.com" } })
  const statuses: Array<number> = []
  for (let round = 0; round < 8; round++) statuses.push(yield* post(gateway, "/wiki", good))
  statuses.push(yield* post(gateway, "/wiki", expired), yield* post(gateway, "/wiki", elsewhere))
  statuses.push(yield* post(gateway, "/wiki", undefined))
  const forTickets = yield* issuer.sign({ claims: { aud: "https://mcp.example.com/tickets" } })
  statuses.push(yield* post(gateway, "/tickets", forTickets))
  assert.deepStrictEqual(statuses, [200, 200, 200, 200, 200, 200, 200, 200, 401, 401, 401, 502])
  return { good, elsewhere }
})

describe("the page of a running gateway", { timeout: 180_000 }, () => {
  for (const workers of ["1", "2"]) {
    it(`PAGE-09 MUST show what it does, with ${workers === "1" ? "one process" : `${workers} workers`}`, () =>
      Effect.runPromise(Effect.scoped(Effect.gen(function*() {
        const running = yield* start(workers)
        const { admin } = running
        const { elsewhere, good } = yield* traffic(running)
        const status = yield* statusWhen(
          admin,
          // A worker that no request needed may still be starting, or fetching.
          ({ providers, traffic, workers: { configured, heard } }) =>
            traffic.sinceStart.passed === 8 && heard === configured &&
            providers.every(({ state }) => state !== "pending")
        )
        assert.deepStrictEqual(status.traffic.sinceStart, { passed: 8, rejected: 3, failed: 1 })
        assert.deepStrictEqual(status.workers, { configured: Number(workers), heard: Number(workers) })
        const [wiki, tickets] = status.servers
        assert.deepStrictEqual([wiki?.name, wiki?.state, wiki?.resource], ["wiki", "ok", audience])
        assert.strictEqual(wiki?.upstream, `${running.upstream.origin}/mcp`)
        assert.deepStrictEqual([tickets?.state, tickets?.lastError?.error], ["failing", "UpstreamUnavailable"])
        const [staff, partners] = status.providers
        assert.deepStrictEqual([staff?.ready, staff?.state, staff?.accepted], [true, "fresh", 9])
        const [keys] = staff?.keySets ?? []
        assert.isAtLeast(keys?.keys.length ?? 0, 1)
        assert.isAtMost(Math.abs(status.now - (keys?.fetchedAt ?? 0)), 60_000)
        assert.isAbove(keys?.nextFetchAt ?? 0, status.now)
        assert.deepStrictEqual([partners?.ready, partners?.state], [false, "unavailable"])
        assert.match(partners?.keySets[0]?.lastFailure ?? "", /ECONNREFUSED|refused/i)
        assert.deepStrictEqual(
          Object.fromEntries(status.rejections.map(({ reason, sinceStart }) => [reason, sinceStart])),
          {
            "InvalidToken.Expired": 1,
            "InvalidToken.InvalidAudience": 1,
            MissingCredential: 1,
            UpstreamUnavailable: 1
          }
        )
        assert.include(
          status.rejections.find(({ reason }) => reason === "InvalidToken.InvalidAudience")?.last.detail,
          "https://api.example.com"
        )
        const bySetting = new Map(status.settings.map(({ name, source }) => [name, source]))
        assert.deepStrictEqual(
          ["MCP_PUBLIC_URL", "MCP_ADMIN_PORT", "MCP_CLOCK_SKEW", "MCP_SERVERS"].map((name) => bySetting.get(name)),
          ["file", "environment", "default", "file"]
        )

        yield* Effect.promise(() =>
          withPage(admin, {}, async ({ incidents, page }) => {
            const text = await page.locator("main").innerText()
            for (const part of ["wiki", "tickets", "not responding", "partners", "Wrong audience", "search", "alice"]) {
              assert.include(text, part)
            }
            assert.strictEqual(await page.locator("#decisions tbody tr").count(), 12)
            await page.locator("#filter-decision").selectOption("not allowed")
            await page.waitForFunction(() => document.querySelectorAll("#decisions tbody tr").length === 3)
            await page.locator("#explain-token").fill(elsewhere)
            await page.locator("#explain-form button").click()
            await page.locator("#explanation .verdict.bad").waitFor()
            assert.include(await page.locator("#explanation").innerText(), "https://api.example.com")
            await page.locator("#explain-token").fill(good)
            await page.locator("#explain-form button").click()
            await page.locator("#explanation .verdict.ok").waitFor()
            assert.include(await page.locator("#explanation").innerText(), "x-auth-")
            assert.deepStrictEqual(incidents, [])
          })
        )
        const { stderr, stdout } = running.gateway
        for (const token of [good, elsewhere]) {
          assert.notInclude(`${stdout()}${stderr()}`, token.slice(token.lastIndexOf(".") + 1))
        }
      }))))
  }

  it("PAGE-09 MUST keep the sums when a worker dies, and show the decisions of the others", () =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const running = yield* start("2")
      yield* traffic(running)
      yield* statusWhen(running.admin, ({ traffic }) => traffic.sinceStart.passed === 8)
      const worker = running.gateway.log().find(({ message }) => message === "worker ready")
      process.kill(Number(worker?.annotations["pid"] ?? worker?.annotations["process.pid"]), "SIGKILL")
      yield* running.gateway.awaitOutput(/"worker ended"/)
      const status = yield* statusWhen(running.admin, ({ workers }) => workers.heard === 2)
      assert.deepStrictEqual(status.traffic.sinceStart, { passed: 8, rejected: 3, failed: 1 })
    }))))
})
