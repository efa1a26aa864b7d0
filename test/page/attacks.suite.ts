import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { useBrowser } from "./browser.ts"
import { attacks, hostileEntries, hostileExplanation, hostileStatus } from "./hostileTexts.ts"
import { type ShownPage, showPage } from "./shownPage.ts"

const withPage = useBrowser()

describe("the page with hostile texts in every place", () => {
  let hostile: ShownPage
  beforeAll(async () => {
    hostile = await showPage({
      status: hostileStatus(),
      entries: hostileEntries,
      explanation: hostileExplanation
    })
  })
  afterAll(() => hostile.close())

  /** Elements and attributes that no page of ours has. */
  const foreignElements = `iframe, img, object, embed, base, video, audio, animate, foreignObject, [style],
    meta[http-equiv], form:not(#filters):not(#explain-form), script:not([src="./page.js"]),
    link:not([href="./page.css"]):not([rel="icon"]), a[href^="javascript:"], a[href^="data:"]`

  for (const javaScriptEnabled of [true, false]) {
    it(`PAGE-01 MUST show them as text, and run none of them (script ${javaScriptEnabled ? "on" : "off"})`, () =>
      withPage(
        hostile.origin,
        { javaScriptEnabled, path: `/?text=${encodeURIComponent(attacks["attribute"] ?? "")}` },
        async ({ incidents, page }) => {
          assert.strictEqual(await page.locator(foreignElements).count(), 0)
          assert.deepStrictEqual(incidents, [])
          const text = await page.locator("main").textContent() ?? ""
          for (const name of ["script", "image", "entity", "frame"]) {
            assert.include(text, (attacks[name] ?? "").slice(0, 40), name)
          }
          assert.notMatch(text.replaceAll(/\s/g, ""), /[\p{Cc}\p{Cf}]/u)
          assert.isTrue(await page.locator("#settings").isVisible())
          const filter = page.locator("#filter-text")
          assert.strictEqual(await filter.inputValue(), (attacks["attribute"] ?? "").trim())
        }
      ))
  }

  it("PAGE-01 MUST run none of them when the page refreshes itself, filters, or explains a token", () =>
    withPage(hostile.origin, {}, async ({ incidents, page }) => {
      for (const text of [attacks["script"] ?? "", attacks["image"] ?? "", ""]) {
        await page.locator("#filter-text").fill(text)
        await page.waitForResponse((response) => response.url().startsWith(`${hostile.origin}/`))
      }
      await page.locator("#explain-token").fill("token")
      await page.locator("#explain-form button").click()
      await page.locator("#explanation .steps").waitFor()
      assert.strictEqual(await page.locator(foreignElements).count(), 0)
      assert.isTrue(await page.evaluate(() => !("attacked" in globalThis)))
      assert.deepStrictEqual(incidents, [])
      assert.include(await page.locator("#explanation").innerText(), "<img src=")
    }))

  for (const width of [320, 1280]) {
    it(`PAGE-01 MUST keep its layout, however long and high they are (${width} pixels wide)`, () =>
      withPage(hostile.origin, { viewport: { width, height: 800 } }, async ({ page }) => {
        const [inner, scroll] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth])
        assert.isAtMost(scroll ?? Infinity, inner ?? 0)
        // Marks that reach over other lines are cut off at the third.
        const marks = await page.evaluate(() => /\p{M}{4}/u.test(document.body.innerText))
        assert.isFalse(marks)
      }))
  }
})

describe("what the page may do", () => {
  let shown: ShownPage
  beforeAll(async () => {
    shown = await showPage()
  })
  afterAll(() => shown.close())

  it("PAGE-02 MUST load everything from itself, under a policy without exceptions", () =>
    withPage(shown.origin, {}, async ({ incidents, page }) => {
      assert.deepStrictEqual(incidents, [])
      for (const path of ["/", "/?text=x", "/page.css", "/page.js", "/icon-ok.svg"]) {
        const { headers } = await fetch(`${shown.origin}${path}`)
        const policy = headers.get("content-security-policy") ?? ""
        assert.include(policy, "default-src 'none'", path)
        assert.include(policy, "frame-ancestors 'none'", path)
        assert.notMatch(policy, /unsafe|data:|https?:|\*/, path)
        assert.strictEqual(headers.get("x-content-type-options"), "nosniff", path)
        assert.strictEqual(headers.get("referrer-policy"), "same-origin", path)
        assert.strictEqual(headers.get("cache-control"), "no-store", path)
        assert.isNull(headers.get("access-control-allow-origin"), path)
      }
      const loaded = await page.evaluate(() =>
        performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname)
      )
      assert.includeMembers(loaded, ["/page.css", "/page.js"])
    }))

  it("PAGE-02 MUST block everything from outside: inline scripts and styles, markup from text, other hosts", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      const found = await page.evaluate(async () => {
        // oxlint-disable-next-line unicorn/consistent-function-scoping -- it runs in the page
        const attempt = async (act: () => unknown) => {
          try {
            await act()
            return "possible"
          } catch {
            return "stopped"
          }
        }
        await attempt(() => {
          const script = document.createElement("script")
          script.append("globalThis.ran = true")
          document.head.append(script)
        })
        await attempt(() => document.body.setAttribute("onclick", "globalThis.ran = true"))
        document.body.click()
        return {
          innerHTML: await attempt(() => {
            document.body.innerHTML = "<p>changed</p>"
          }),
          fetch: await attempt(() => fetch("http://127.0.0.1:9/")),
          ran: "ran" in globalThis
        }
      })
      assert.deepStrictEqual(found, { innerHTML: "stopped", fetch: "stopped", ran: false })
    }))

  it("PAGE-02 MUST NOT appear in a frame of another page", async () => {
    const framing = createServer((_request, response) => {
      response.setHeader("content-type", "text/html")
      response.end(`<iframe id="frame" src="${shown.origin}/"></iframe>`)
    }).listen(0, "127.0.0.1")
    await new Promise((resolve) => framing.once("listening", resolve))
    // The address is that of a socket, because the server listens on a port.
    const { port } = framing.address() as AddressInfo
    try {
      await withPage(`http://127.0.0.1:${port}`, {}, async ({ incidents, page }) => {
        await page.waitForLoadState("networkidle")
        assert.isFalse(page.frames().some((frame) => frame.url().startsWith(shown.origin)))
        assert.match(incidents.join("\n"), /frame-ancestors|refused|blocked|ERR_BLOCKED/i)
      })
    } finally {
      framing.close()
    }
  })

  it("PAGE-02 MUST NOT explain a token for another site, nor let it read anything", async () => {
    const attempts: ReadonlyArray<Readonly<Record<string, string>>> = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" }
    ]
    for (const headers of attempts) {
      const response = await fetch(`${shown.origin}/explain`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        body: "token=abc"
      })
      assert.strictEqual(response.status, 403)
    }
    assert.deepStrictEqual(shown.questions, [])
  })
})
