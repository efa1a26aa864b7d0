import type { Page } from "playwright-core"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { standIn } from "../admin/page/standIn.ts"
import { useBrowser } from "./browser.ts"
import { type ShownPage, showPage } from "./shownPage.ts"

const withPage = useBrowser()

let shown: ShownPage
beforeAll(async () => {
  shown = await showPage({ status: standIn({ troubled: true }) })
})
afterAll(() => shown.close())

/** The texts of the page whose contrast with what is behind them is below that of WCAG AA. */
const faint = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })
    const channels = (colour: string): ReadonlyArray<number> => {
      if (canvas === null) return []
      canvas.clearRect(0, 0, 1, 1)
      canvas.fillStyle = colour
      canvas.fillRect(0, 0, 1, 1)
      return [...canvas.getImageData(0, 0, 1, 1).data]
    }
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- it runs in the page
    const luminance = (colour: ReadonlyArray<number>): number => {
      const [red = 0, green = 0, blue = 0] = colour.slice(0, 3).map((value) => {
        const part = value / 255
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
      })
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    const ground = (element: Element | null): ReadonlyArray<number> => {
      for (let at = element; at !== null; at = at.parentElement) {
        const colour = channels(getComputedStyle(at).backgroundColor)
        if ((colour[3] ?? 0) === 255) return colour
      }
      return [255, 255, 255, 255]
    }
    const found: Array<string> = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement
      const text = walker.currentNode.textContent?.trim() ?? ""
      if (text === "" || element === null || !element.checkVisibility()) continue
      const [one, other] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))]
      const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
      if (contrast < 4.5) found.push(`${text.slice(0, 30)}: ${contrast.toFixed(2)}`)
    }
    return found
  })

describe("the page for all readers", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    it(`PAGE-07 MUST have enough contrast in every text (${colorScheme})`, () =>
      withPage(shown.origin, { colorScheme }, async ({ page }) => {
        await page.evaluate(() => document.querySelectorAll("details").forEach((one) => one.setAttribute("open", "")))
        assert.deepStrictEqual(await faint(page), [])
        const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
        assert.match(ground, colorScheme === "light" ? /^rgb\(24\d/ : /^rgb\(1\d/)
      }))
  }

  it("PAGE-07 MUST name every control, region and plot, with headings in order", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      const unnamed = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>("input, select, textarea, button, [role=region], svg[role=img]")]
          .filter((element) =>
            !(element.getAttribute("aria-label") ?? element.textContent ?? "").trim() &&
            !("labels" in element && element.labels instanceof NodeList && element.labels.length > 0)
          )
          .map(({ outerHTML }) => outerHTML.slice(0, 80))
      )
      assert.deepStrictEqual(unnamed, [])
      const levels = await page.locator("h1, h2, h3, h4").evaluateAll((all) =>
        all.map(({ tagName }) => Number(tagName[1]))
      )
      assert.strictEqual(levels[0], 1)
      assert.strictEqual(levels.filter((level) => level === 1).length, 1)
      levels.forEach((level, index) => assert.isAtMost(level, (levels[index - 1] ?? 0) + 1))
      const decorative = await page.locator("svg:not([role=img]):not([aria-hidden=true])").count()
      const hiddenParents = await page.locator("[aria-hidden=true] svg:not([role=img]):not([aria-hidden=true])").count()
      assert.strictEqual(decorative, hiddenParents)
      const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map(({ id }) => id))
      assert.strictEqual(new Set(ids).size, ids.length)
      const dangling = await page.evaluate(() =>
        [...document.querySelectorAll("a[href^='#']")].filter((link) =>
          document.getElementById(link.getAttribute("href")?.slice(1) ?? "") === null
        ).length
      )
      assert.strictEqual(dangling, 0)
    }))

  it("PAGE-07 MUST tell states in words, not by colour alone", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      const tree = await page.locator("main").ariaSnapshot()
      for (
        const part of [
          "not responding",
          "works",
          "unreachable; its last keys are still used",
          "Problem:",
          "Warning:"
        ]
      ) {
        assert.include(tree, part)
      }
      assert.match(tree, /region "Overview"/)
      assert.match(tree, /table "MCP servers"/)
      assert.match(tree, /columnheader "Per second"/)
      assert.match(tree, /search "Filter decisions"/)
      assert.match(tree, /textbox "Access token"/)
    }))

  it("PAGE-07 MUST be usable by keyboard alone: skip, open, filter, explain, with a visible focus", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      await page.keyboard.press("Tab")
      const skip = page.locator(".skip")
      assert.isTrue(await skip.evaluate((element) => element === document.activeElement))
      assert.isAtLeast((await skip.boundingBox())?.x ?? -1, 0)
      await page.keyboard.press("Enter")
      await page.keyboard.press("Tab")
      assert.isTrue(await page.evaluate(() => document.activeElement?.closest("#overview") !== null))
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineWidth)
      assert.strictEqual(outline, "2px")
      const reached = new Set<string>()
      let opened = false
      for (let presses = 0; presses < 200; presses++) {
        await page.keyboard.press("Tab")
        const [id, kind] = await page.evaluate(() => {
          const { activeElement: active } = document
          return [active?.id ?? "", active?.closest(".reason") !== null ? active?.tagName ?? "" : ""]
        })
        if (kind === "SUMMARY" && !opened) {
          await page.keyboard.press("Enter")
          opened = await page.locator(".reason[open]").count() === 1
        }
        reached.add(id ?? "")
        if (await page.evaluate(() => document.activeElement === document.body)) break
      }
      assert.isTrue(opened)
      for (const id of ["explain-token", "explain-server", "filter-decision", "filter-text"]) {
        assert.include([...reached], id)
      }
    }))

  it("PAGE-07 MUST keep the tables of narrow screens tables for screen readers", () =>
    withPage(shown.origin, { viewport: { width: 390, height: 844 } }, async ({ page }) => {
      const tree = await page.locator("#servers").ariaSnapshot()
      assert.match(tree, /table "MCP servers"/)
      assert.match(tree, /rowheader/)
      assert.strictEqual((tree.match(/columnheader/g) ?? []).length, 9)
    }))

  for (const width of [320, 390, 768, 1280, 1920]) {
    it(`PAGE-08 MUST fit a screen of ${width} pixels without scrolling sideways`, () =>
      withPage(shown.origin, { viewport: { width, height: 800 } }, async ({ page }) => {
        await page.evaluate(() => document.querySelectorAll("details").forEach((one) => one.setAttribute("open", "")))
        const [inner, scroll] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth])
        assert.isAtMost(scroll ?? Infinity, inner ?? 0)
        const cut = await page.evaluate(() =>
          [...document.querySelectorAll<HTMLElement>("input, select, textarea, button, summary, .tile, figure")]
            .filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > innerWidth + 1)
            .map(({ outerHTML }) => outerHTML.slice(0, 60))
        )
        assert.deepStrictEqual(cut, [])
      }))
  }

  it("PAGE-08 MUST move nothing for readers who want no motion", () =>
    withPage(shown.origin, { reducedMotion: "reduce" }, async ({ page }) => {
      const moving = await page.evaluate(() =>
        [...document.querySelectorAll("*")].filter((element) =>
          ["", "::before", "::after"].some((part) => {
            const { animationName, transitionDuration } = getComputedStyle(element, part || null)
            return animationName !== "none" || Number.parseFloat(transitionDuration) > 0
          })
        ).length
      )
      assert.strictEqual(moving, 0)
      assert.strictEqual(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior), "auto")
    }))

  it("PAGE-08 MUST be readable with enlarged text, and in forced colours", () =>
    withPage(
      shown.origin,
      { forcedColors: "active", viewport: { width: 640, height: 800 }, deviceScaleFactor: 2 },
      async ({ page }) => {
        const [inner, scroll] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth])
        assert.isAtMost(scroll ?? Infinity, inner ?? 0)
        assert.isTrue(await page.locator(".verdict").first().isVisible())
      }
    ))
})
