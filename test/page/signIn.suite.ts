/** People sign in through the facade, in a real browser, whose rules about forms, cookies and frames no test of ours imitates. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { settingsOf } from "../config/resolving.ts"
import { post, redirectUri, SignIn } from "../facade/Browser.ts"
import { providerEntry, sessionKey } from "../facade/facadeFixture.ts"
import { startGateway } from "../support/gateway.ts"
import { reservePort } from "../support/reservePort.ts"
import { makeStandInProvider, standInClient } from "../support/StandInProvider.ts"
import { useBrowser } from "./browser.ts"

const withPage = useBrowser()
const scope = Scope.makeUnsafe()

/** The folder for screenshots of what the user sees. */
const pictures = fileURLToPath(new URL("../../node_modules/.cache/sign-in/screenshots", import.meta.url))

let origin = ""

/** At another site than the provider, which is at 127.0.0.1. */
const start = Effect.gen(function*() {
  const port = yield* reservePort
  const publicUrl = `http://localhost:${port}`
  const provider = yield* makeStandInProvider("entra", `${publicUrl}/oauth/callback`)
  yield* startGateway(settingsOf({}, {
    server_url: "http://127.0.0.1:9/mcp",
    public_url: publicUrl,
    port,
    session_key: sessionKey,
    providers: [providerEntry("entra", provider.issuer)]
  }))
  return publicUrl
})

beforeAll(async () => {
  origin = await Effect.runPromise(Scope.provide(start, scope))
})
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

/** Presses a button, and returns the URL of the client to which the browser goes, where nothing listens. */
const press = async (page: Page, decision: "allow" | "deny"): Promise<URLSearchParams> => {
  const back = page.waitForRequest((request) => request.url().startsWith(redirectUri), { timeout: 15_000 })
  await page.click(`button[value=${decision}]`)
  return new URL((await back).url()).searchParams
}

const pathOf = (client: SignIn): string => client.url().slice(origin.length)

describe("signing in", () => {
  for (const [locale, title] of [["en-US", "Allow access?"], ["de-AT", "Zugriff erlauben?"]] as const) {
    it(`leads from the consent page (${locale}) over the provider to a token`, () => {
      const client = new SignIn(origin, standInClient.id)
      return withPage(origin, { path: pathOf(client), locale }, async ({ incidents, page }) => {
        assert.strictEqual(await page.locator("h1").innerText(), title)
        const back = await press(page, "allow")
        const { status } = await Effect.runPromise(post(`${origin}/token`, client.form(back.get("code") ?? "")))
        assert.strictEqual(status, 200)
        // The provider and the client have other origins; there is no other problem on the way.
        assert.isEmpty(incidents.filter((incident) => !incident.startsWith("request: http://127.0.0.1:")))
      })
    })
  }

  for (const locale of ["en-US", "de-AT"]) {
    for (const colorScheme of ["light", "dark"] as const) {
      it(`fits a phone (${locale}, ${colorScheme}): nothing to scroll sideways, and buttons that a thumb hits`, () => {
        const client = new SignIn(origin, standInClient.id)
        const options = {
          path: pathOf(client),
          locale,
          colorScheme,
          viewport: { width: 320, height: 640 },
          hasTouch: true
        }
        return withPage(origin, options, async ({ page }) => {
          await page.screenshot({ path: join(pictures, `consent-${locale}-${colorScheme}.png`) })
          const [shown = 0, width = 0] = await page.evaluate(() => [
            document.documentElement.clientWidth,
            document.documentElement.scrollWidth
          ])
          assert.strictEqual(width, shown)
          for (const button of await page.locator("button").all()) {
            const box = await button.boundingBox()
            assert.isAtLeast(box?.height ?? 0, 40)
            assert.isAtMost((box?.x ?? 0) + (box?.width ?? 0), shown)
            assert.isAtMost((box?.y ?? 0) + (box?.height ?? 0), 640)
          }
        })
      })
    }
  }

  it("leads back to the client with an error if the user cancels", () => {
    const client = new SignIn(origin, standInClient.id)
    return withPage(origin, { path: pathOf(client) }, async ({ page }) => {
      const back = await press(page, "deny")
      assert.strictEqual(back.get("error"), "access_denied")
      assert.strictEqual(back.get("state"), client.state)
    })
  })

  it("is not possible within a frame of another site", () => {
    const client = new SignIn(origin, standInClient.id)
    return withPage(origin, { path: "/healthz" }, async ({ context }) => {
      const page = await context.newPage()
      await page.setContent(`<iframe src="${client.url().replaceAll("&", "&amp;")}"></iframe>`)
      const frame = page.frames()[1]
      await frame?.waitForLoadState()
      assert.notInclude(await frame?.content(), "<form")
    })
  })
})
