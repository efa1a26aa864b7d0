/** People with the MCP Inspector in a real Chromium: connect, sign in, consent, come back, list the tools, call one. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { env } from "node:process"
import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { useBrowser } from "../page/browser.ts"
import { reservePort } from "../support/reservePort.ts"
import { inspector } from "./programs.ts"
import { accessTokenLife, type Site, sites } from "./sites.ts"

/** Where screenshots are, for people who want to see what the user sees. */
const pictures = fileURLToPath(new URL("../../node_modules/.cache/sign-in/screenshots", import.meta.url))

const withPage = useBrowser()

let scope = Scope.makeUnsafe()
beforeEach(() => {
  scope = Scope.makeUnsafe()
})
afterEach(() => Effect.runPromise(Scope.close(scope, Exit.void)))

/** Starts the Inspector for a server, and returns the address of its page. */
const startInspector = (url: string) =>
  Effect.gen(function*() {
    const { node, program } = yield* Effect.promise(inspector)
    const home = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "inspector-"))),
      (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
    )
    const ports = [yield* reservePort, yield* reservePort, yield* reservePort].map(String)
    const args = [program, "--web", "--transport", "http", "--server-url", url, "--protocol-era", "auto"]
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(node, args, {
          stdio: ["ignore", "pipe", "pipe"],
          env: {
            PATH: env["PATH"],
            HOME: home,
            CLIENT_PORT: ports[0],
            MCP_SANDBOX_PORT: ports[1],
            MCP_APP_ORIGIN_PORT: ports[2],
            MCP_AUTO_OPEN_ENABLED: "false"
          }
        })
      ),
      (child) =>
        Effect.promise(async () => {
          const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
          child.kill("SIGKILL")
          await ended
        })
    )
    return yield* Effect.promise(() =>
      new Promise<URL>((resolve, reject) => {
        let output = ""
        const look = (chunk: Buffer) => {
          output += chunk.toString("utf8")
          const found = /http:\/\/127\.0\.0\.1:\d+\/?\?\S*TOKEN=\S+/.exec(output)?.[0]
          if (found !== undefined) resolve(new URL(found))
        }
        child.stdout.on("data", look)
        child.stderr.on("data", look)
        child.once("close", () => reject(new Error(`the Inspector has ended:\n${output}`)))
      })
    )
  })

const start = (startSite: Effect.Effect<Site, never, Scope.Scope>) =>
  Effect.runPromise(Scope.provide(
    Effect.gen(function*() {
      const site = yield* startSite
      return { site, inspectorUrl: yield* startInspector(site.resource) }
    }),
    scope
  ))

/** Opens a tool: its form comes back only if another one was open. */
const openTool = async (page: Page, name: string): Promise<void> => {
  await page.getByText(name, { exact: true }).first().click()
}

/** Calls `echo` on the page of tools. */
const callEcho = async (page: Page, message: string): Promise<void> => {
  await openTool(page, "add")
  await openTool(page, "echo")
  await page.getByRole("textbox", { name: "message" }).fill(message)
  await page.getByRole("button", { name: "Execute Tool" }).click()
  await page.locator("pre, code").getByText(message, { exact: true }).first().waitFor()
}

const cases = [
  ["the facade before a provider without registration", "en-US", "Allow access?"],
  ["the facade before a provider without registration", "de-AT", "Zugriff erlauben?"],
  ["a provider with registration", "en-US", undefined]
] as const

describe("MCP Inspector", () => {
  for (const [provider, locale, consent] of cases) {
    it(`signs in at ${provider}, lists the tools, calls one and refreshes its token (${locale})`, async () => {
      await mkdir(pictures, { recursive: true })
      const { inspectorUrl, site } = await start(sites[provider])
      const name = `${consent === undefined ? "direct" : "facade"}-${locale}`
      const path = inspectorUrl.href.slice(inspectorUrl.origin.length)
      await withPage(inspectorUrl.origin, { path, locale }, async ({ page }) => {
        const picture = (step: string) => page.screenshot({ path: join(pictures, `${name}-${step}.png`) })
        await page.getByRole("switch").first().click({ force: true })
        if (consent !== undefined) {
          await page.locator("button[value=allow]").waitFor()
          assert.strictEqual(await page.locator("h1").innerText(), consent)
          assert.include(await page.locator("main").innerText(), inspectorUrl.host)
          await picture("1-consent")
          await page.click("button[value=allow]")
        }
        await page.getByText("Connected").waitFor()
        await picture("2-connected")
        await page.getByText("Tools", { exact: true }).first().click()
        await openTool(page, "echo")
        await picture("3-tools")
        await callEcho(page, "hello from the Inspector")
        await picture("4-called")
        const before = site.refreshes()
        await page.waitForTimeout((accessTokenLife + 1) * 1000)
        await callEcho(page, "still here")
        assert.isAbove(site.refreshes(), before)
        await picture("5-refreshed")
      })
    })
  }
})
