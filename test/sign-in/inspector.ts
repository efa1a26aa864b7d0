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
import type { Locator, Page } from "playwright-core"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { useBrowser } from "../page/browser.ts"
import { reservePort } from "../support/reservePort.ts"
import { fetchInspector } from "./programs.ts"
import { accessTokenLife, type Site } from "./Site.ts"

/** Where screenshots are, for people who want to see what the user sees. */
const pictures = fileURLToPath(new URL("../../node_modules/.cache/sign-in/screenshots", import.meta.url))

/** Starts the Inspector for a server, and returns the address of its page. */
const startInspector = (url: string) =>
  Effect.gen(function*() {
    const { node, program } = yield* Effect.promise(fetchInspector)
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

/** How long one attempt may take, and each look at what came of it. */
const attemptMillis = 10_000

const within = { timeout: attemptMillis }

/**
 * Acts until the page shows what comes of it. On a busy machine Chromium may take a click late, or while the page is drawn again and
 * has no more use for it. The time limit of the test is the only one.
 */
const actUntil = async (
  act: () => Promise<unknown>,
  place: Locator,
  state: "visible" | "hidden" = "visible"
): Promise<void> => {
  for (;;) {
    await act().catch(() => undefined)
    if (await place.waitFor({ state, ...within }).then(() => true, () => false)) return
    if (place.page().isClosed()) throw new Error("the page is closed")
  }
}

/** Calls `echo` on the page of tools. */
const callEcho = async (page: Page, message: string): Promise<void> => {
  const result = page.locator("pre, code").getByText(message, { exact: true }).first()
  await actUntil(async () => {
    // Its form comes back only if another one was open.
    await page.getByText("add", { exact: true }).first().click(within)
    await page.getByText("echo", { exact: true }).first().click(within)
    await page.getByRole("textbox", { name: "message" }).fill(message, within)
    await page.getByRole("button", { name: "Execute Tool" }).click(within)
  }, result)
}

/** Who signs in where the provider asks for it. */
interface User {
  readonly name: string
  readonly password: string
}

/** The pages on the way of a sign-in, by what shows them, and what the user does there. */
const pages = (page: Page, user: User) => [
  // The gateway asks for consent.
  { shown: page.locator("button[value=allow]"), act: (shown: Locator) => shown.click(within) },
  // Keycloak asks who the user is.
  {
    shown: page.locator("input[name=password]"),
    act: async (shown: Locator) => {
      await page.locator("input[name=username]").fill(user.name, within)
      await shown.fill(user.password, within)
      await shown.press("Enter", within)
    }
  },
  // Keycloak asks for consent, because the client has registered itself.
  { shown: page.locator("input[name=accept]"), act: (shown: Locator) => shown.click(within) }
]

/** Connects, and goes through all pages until the Inspector is connected. `onPage` sees each. */
const connect = async (page: Page, user: User, onPage: () => Promise<unknown>): Promise<void> => {
  const connected = page.getByText("Connected").first()
  const steps = pages(page, user)
  const any = steps.reduce((all, { shown }) => all.or(shown), connected).first()
  const control = page.getByRole("switch").first()
  await actUntil(async () => {
    // A second click would disconnect.
    if (!(await control.isChecked(within))) await control.click({ force: true, ...within })
  }, any)
  for (;;) {
    await any.waitFor()
    if (await connected.isVisible()) return
    for (const { act, shown } of steps) {
      if (!(await shown.isVisible())) continue
      await onPage()
      await actUntil(() => act(shown), shown, "hidden")
      break
    }
  }
}

/** A person at a site. */
export interface InspectorCase {
  readonly name: string
  readonly start: Effect.Effect<Site, never, Scope.Scope>
  readonly locale: string
  /** The heading of the gateway's page for consent; `undefined` where there is no such page. */
  readonly consent: string | undefined
  readonly user?: User
}

/** Tests the Inspector at several sites. */
export const testInspector = (cases: ReadonlyArray<InspectorCase>): void => {
  const withPage = useBrowser()

  let scope = Scope.makeUnsafe()
  beforeEach(() => {
    scope = Scope.makeUnsafe()
  })
  afterEach(() => Effect.runPromise(Scope.close(scope, Exit.void)))

  const startAll = (start: InspectorCase["start"]) =>
    Effect.runPromise(Scope.provide(
      Effect.gen(function*() {
        const site = yield* start
        return { site, inspectorUrl: yield* startInspector(site.gateway.resource) }
      }),
      scope
    ))

  describe("MCP Inspector", () => {
    for (const { consent, locale, name, start, user = { name: "", password: "" } } of cases) {
      it(`signs in at ${name}, lists the tools, calls one and refreshes its token (${locale})`, async () => {
        await mkdir(pictures, { recursive: true })
        const { inspectorUrl, site } = await startAll(start)
        const path = inspectorUrl.href.slice(inspectorUrl.origin.length)
        await withPage(inspectorUrl.origin, { path, locale }, async ({ page }) => {
          page.setDefaultTimeout(0)
          const picture = (step: string) =>
            page.screenshot({ path: join(pictures, `${name.replaceAll(" ", "-")}-${locale}-${step}.png`) })
          let asked = 0
          await connect(page, user, async () => {
            asked += 1
            if (await page.locator("button[value=allow]").isVisible()) {
              assert.strictEqual(await page.locator("h1").innerText(), consent)
              assert.include(await page.locator("main").innerText(), inspectorUrl.host)
            }
            await picture(`1-page-${asked}`)
            // Between two steps of the user the gateway forgets all that it knows.
            await Effect.runPromise(site.gateway.restart)
          })
          if (consent !== undefined) assert.isAbove(asked, 0)
          await picture("2-connected")
          const listed = page.getByText("echo", { exact: true }).first()
          await actUntil(() => page.getByText("Tools", { exact: true }).first().click(within), listed)
          await picture("3-tools")
          await callEcho(page, "hello from the Inspector")
          await picture("4-called")
          const before = await Effect.runPromise(site.refreshes)
          await page.waitForTimeout((accessTokenLife + 1) * 1000)
          await callEcho(page, "still here")
          assert.isAbove(await Effect.runPromise(site.refreshes), before)
          await picture("5-refreshed")
          assert.deepStrictEqual(await Effect.runPromise(site.gateway.written), [])
        })
      })
    }
  })
}
