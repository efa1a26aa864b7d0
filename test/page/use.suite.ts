import type { Page } from "playwright-core"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import type { Status } from "../../src/admin/page/Status.ts"
import type { Explanation } from "../../src/explain/Explanation.ts"
import { entries, standIn } from "../admin/page/standIn.ts"
import { useBrowser } from "./browser.ts"
import { type ShownPage, showPage } from "./shownPage.ts"

const withPage = useBrowser()

let shown: ShownPage
beforeEach(async () => {
  shown = await showPage({ status: standIn({ troubled: true }) })
})
afterEach(() => shown.close())

/** Waits until the page has shown a status that came after this call. */
const refreshed = async (page: Page): Promise<void> => {
  shown.shown.status = { ...shown.shown.status, now: shown.shown.status.now + 61_000 }
  const before = await page.locator(".clock .note").innerText()
  await page.waitForFunction(
    (before) => document.querySelector<HTMLElement>(".clock .note")?.innerText !== before,
    before,
    { timeout: 15_000 }
  )
}

const renamed = (status: Status, name: string): Status => ({
  ...status,
  servers: status.servers.map((server, index) => index === 0 ? { ...server, name } : server)
})

describe("the page in use", () => {
  it("PAGE-03 MUST say first whether anything needs attention, and lead there", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      assert.strictEqual(await page.locator(".verdict .sentence").first().innerText(), "2 things need attention")
      assert.match(await page.title(), /^2 things need attention/)
      const first = page.locator(".troubles a").first()
      assert.match(await first.innerText(), /MCP server tickets has not responded for 7 min/)
      await first.click()
      assert.strictEqual(new URL(page.url()).hash, "#server-2")
      assert.match(await page.locator("#server-2").innerText(), /not responding/)
      shown.shown.status = standIn()
      await refreshed(page)
      assert.strictEqual(await page.locator(".verdict .sentence").first().innerText(), "Everything works")
      assert.strictEqual(await page.locator("link[rel=icon]").getAttribute("href"), "./icon-ok.svg")
    }))

  it("PAGE-03 MUST show servers, providers with their keys, rejections with advice, and settings with their source", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      assert.strictEqual(await page.locator("#servers tbody tr").count(), 4)
      const partners = await page.locator("#provider-1").innerText()
      for (
        const part of [
          "unreachable; its last keys are still used",
          "Failed fetches",
          "71 times in a row",
          "Timeout of the whole fetch",
          "sso_oidc_key_pair_01HZX"
        ]
      ) {
        assert.include(partners, part)
      }
      assert.match(partners, /Next fetch\s+in 6 s/)
      const audience = page.locator("#rejections li", { hasText: "Wrong audience" })
      await audience.locator("summary").click()
      assert.include(await audience.innerText(), "How to fix it.")
      assert.include(await audience.innerText(), "expected \"https://mcp.example.com/wiki\"")
      assert.match(
        await page.locator("#settings tr", { hasText: "MCP_SESSION_KEY" }).innerText(),
        /\(hidden\)\s+environment/
      )
      assert.strictEqual(await page.locator("svg.plot.large").count(), 2)
      assert.match(
        await page.locator("svg.plot.large").first().getAttribute("aria-label") ?? "",
        /Requests of the last hour: [\d,]+ passed/
      )
    }))

  it("PAGE-04 MUST refresh itself without losing what its reader does", () =>
    withPage(shown.origin, {}, async ({ incidents, page }) => {
      const reason = page.locator("#rejections details").nth(2)
      await reason.locator("summary").click()
      await page.locator("#explain-token").fill("half a tok")
      await page.locator("#decisions .scroll").evaluate((element) => element.scrollTo(0, 300))
      const search = page.locator("#filter-text")
      await search.focus()
      await page.evaluate(() => scrollTo(0, 900))
      const summary = await reason.locator("summary").elementHandle()
      shown.shown.status = renamed(shown.shown.status, "renamed")
      await refreshed(page)
      assert.include(await page.locator("#server-0").innerText(), "renamed")
      assert.isTrue(await reason.evaluate((element) => element instanceof HTMLDetailsElement && element.open))
      assert.strictEqual(await page.locator("#explain-token").inputValue(), "half a tok")
      assert.strictEqual(await page.locator("#decisions .scroll").evaluate(({ scrollTop }) => scrollTop), 300)
      assert.strictEqual(await page.evaluate(() => scrollY), 900)
      assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "filter-text")
      assert.isTrue(await summary?.evaluate(({ isConnected }) => isConnected))
      assert.deepStrictEqual(incidents, [])
    }))

  it("PAGE-04 MUST keep the focus inside of what it refreshes, and text that is marked", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      await page.locator("#rejections summary").nth(1).focus()
      await refreshed(page)
      assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ""), /No token yet/)
      await page.locator("#server-0 .name").evaluate((element) => getSelection()?.selectAllChildren(element))
      const text = await page.evaluate(() => getSelection()?.toString())
      shown.shown.status = renamed(shown.shown.status, "renamed")
      await refreshed(page)
      assert.strictEqual(await page.evaluate(() => getSelection()?.toString()), text)
    }))

  it("PAGE-04 MUST put new decisions on top, as rows of their own", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      const rows = page.locator("#decisions tbody tr")
      const first = await rows.first().elementHandle()
      shown.shown.entries = [
        { ...entries[0] ?? assert.fail(), trace_id: "new", time: "2026-11-30T14:30:02.000Z", tool: "brand_new" },
        ...entries.slice(0, 199)
      ]
      await refreshed(page)
      assert.include(await rows.first().innerText(), "brand_new")
      assert.isTrue(await first?.evaluate((element) => element === document.querySelectorAll("#decisions tbody tr")[1]))
      assert.strictEqual(await rows.count(), 200)
    }))

  it("PAGE-04 MUST say when it is not up to date any more, try again, and pause on request", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      shown.shown.fault = "dies"
      await page.locator("#stale:not([hidden])").waitFor({ timeout: 15_000 })
      assert.match(
        await page.locator("#stale").innerText(),
        /Not up to date for \d+ seconds: the gateway responded with 500/
      )
      shown.shown.fault = "none"
      await page.locator("#stale").waitFor({ state: "hidden", timeout: 15_000 })
      const pause = page.locator("#pause")
      await pause.click()
      assert.strictEqual(await pause.getAttribute("aria-pressed"), "true")
      let requests = 0
      page.on("request", () => requests++)
      await page.waitForTimeout(6_000)
      assert.strictEqual(requests, 0)
      await pause.click()
      await refreshed(page)
    }))
})

describe("the filters of decisions", () => {
  const wanted = entries.filter(({ decision, server }) => decision === "denied" && server === "tickets").length

  it("PAGE-05 MUST apply while they are chosen, and stay in the URL", () =>
    withPage(shown.origin, {}, async ({ page }) => {
      await page.locator("#filter-decision").selectOption("denied")
      await page.locator("#filter-server").selectOption("tickets")
      await page.waitForFunction((count) => document.querySelectorAll("#decisions tbody tr").length === count, wanted)
      assert.strictEqual(new URL(page.url()).search, "?decision=denied&server=tickets")
      assert.include(await page.locator("#decisions [role=status]").innerText(), `${wanted} of 200 decisions`)
      await page.reload()
      assert.strictEqual(await page.locator("#decisions tbody tr").count(), wanted)
      await page.locator("#filter-text").fill("NO SUCH THING")
      await page.locator("#decisions .empty").waitFor()
      await page.locator("#filter-text").fill("")
      await page.waitForFunction((count) => document.querySelectorAll("#decisions tbody tr").length === count, wanted)
    }))

  it("PAGE-05 MUST work without a script", () =>
    withPage(shown.origin, { javaScriptEnabled: false }, async ({ page }) => {
      await page.locator("#filter-decision").selectOption("not allowed")
      await page.locator("#filter-text").fill("create_ticket")
      await page.locator("#apply").click()
      assert.strictEqual(
        await page.locator("#decisions tbody tr").count(),
        entries.filter(({ decision, tool }) => decision !== "allowed" && tool === "create_ticket").length
      )
      assert.strictEqual(await page.locator("#filter-decision").inputValue(), "not allowed")
    }))
})

const explanation: Explanation = {
  server: "wiki",
  token: { form: "jwt", length: 812 },
  provider: { name: "workforce", type: "oidc", chosenBy: "its issuer is that of the token" },
  steps: [
    { name: "form", verdict: "pass", expected: "a JWT or an opaque token", found: "a JWT of 812 characters" },
    {
      name: "audience",
      verdict: "fail",
      expected: "\"https://mcp.example.com/wiki\"",
      found: "\"https://api.example.com\"",
      fix: "Let the client ask for a token for this server."
    },
    { name: "scopes", verdict: "skipped", expected: "", found: "" }
  ],
  outcome: {
    decision: "rejected",
    step: "audience",
    reason: "InvalidAudience",
    detail: "aud is \"https://api.example.com\"",
    response: { status: 401, error: "invalid_token", description: "Invalid audience" }
  }
}

describe("the form that explains a token", () => {
  const secret = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0LXBheWxvYWQ.c2VjcmV0LXNpZ25hdHVyZQ"

  for (const javaScriptEnabled of [true, false]) {
    it(`PAGE-06 MUST explain it, and keep it nowhere (script ${javaScriptEnabled ? "on" : "off"})`, () => {
      shown.shown.explanation = explanation
      return withPage(shown.origin, { javaScriptEnabled }, async ({ context, incidents, page }) => {
        await page.locator("#explain-token").fill(` ${secret}\n`)
        await page.locator("#explain-server").selectOption("wiki")
        await page.locator("#explain-tool").fill("search")
        await page.locator("#explain-form button").click()
        await page.locator("#explanation .steps").waitFor()
        assert.deepStrictEqual(shown.questions.map(({ token, ...rest }) => ({ token: token.trim(), ...rest })), [
          { token: secret, server: "wiki", tool: "search" }
        ])
        const text = await page.locator("#explanation").innerText()
        for (const part of ["This token is rejected", "audience", "fails", "Expected", "How to fix it.", "401"]) {
          assert.include(text, part)
        }
        const [, payload = "", signature = ""] = secret.split(".")
        const html = await page.content()
        for (const part of [secret, payload, signature]) {
          assert.notInclude(html, part)
          assert.notInclude(page.url(), part)
          assert.notInclude(shown.logged.join("\n"), part)
          assert.notInclude(JSON.stringify(await context.storageState()), part)
        }
        if (javaScriptEnabled) {
          assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "explanation")
          assert.isTrue(new URL(page.url()).pathname === "/")
          await page.reload()
          assert.strictEqual(await page.locator("#explain-token").inputValue(), "")
        }
        assert.deepStrictEqual(incidents, [])
      })
    })
  }

  it("PAGE-06 MUST say what is wrong with a form, and never repeat it", async () => {
    const post = (body: string, type = "application/x-www-form-urlencoded") =>
      fetch(`${shown.origin}/explain`, { method: "POST", headers: { "content-type": type, accept: "text/html" }, body })
    for (
      const [body, type, status] of [
        ["", undefined, 400],
        ["token=+", undefined, 400],
        [`token=${"x".repeat(300_000)}`, undefined, 400],
        [JSON.stringify({ token: secret }), "application/json", 400],
        [`token=${secret}&tool=${"x".repeat(300)}`, undefined, 400],
        [`token=${secret}&server=nowhere`, undefined, 503]
      ] as const
    ) {
      const response = await post(body, type)
      const text = await response.text()
      assert.strictEqual(response.status, status, body.slice(0, 40))
      assert.match(text, /class="problem"/)
      assert.notInclude(text, secret)
    }
    assert.notInclude(shown.logged.join("\n"), secret)
  })

  it("PAGE-06 MUST give programs the explanation as JSON", async () => {
    shown.shown.explanation = explanation
    const response = await fetch(`${shown.origin}/explain`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ token: secret, server: "wiki" }).toString()
    })
    assert.deepStrictEqual(await response.json(), explanation)
  })
})

describe("the page behind MCP_ADMIN_TOKEN", () => {
  it("PAGE-06 MUST open for a person who types the secret, and refresh and explain with it", async () => {
    const secret = "0123456789abcdef0123456789abcdef"
    const guarded = await showPage({ explanation }, secret)
    try {
      assert.strictEqual((await fetch(guarded.origin)).status, 401)
      await withPage(guarded.origin, { httpCredentials: { username: "me", password: secret } }, async ({ page }) => {
        assert.strictEqual(await page.locator("h1").innerText(), "mcp-authorizer")
        assert.strictEqual(await page.evaluate(() => document.styleSheets.length), 1)
        await page.locator("#filter-decision").selectOption("denied")
        await page.waitForFunction(() => document.querySelectorAll("#decisions tbody tr").length < 200)
        await page.locator("#explain-token").fill("token")
        await page.locator("#explain-form button").click()
        await page.locator("#explanation .steps").waitFor()
        assert.notInclude(await page.content(), secret)
      })
    } finally {
      await guarded.close()
    }
  })
})

describe("the page as data", () => {
  it("PAGE-03 MUST be there as JSON as well", async () => {
    const [status, decisions] = await Promise.all(
      ["status.json", "decisions.json"].map(async (path) => (await fetch(`${shown.origin}/${path}`)).json())
    )
    assert.deepStrictEqual(status, JSON.parse(JSON.stringify(shown.shown.status)))
    assert.deepStrictEqual(decisions, entries)
  })
})
