/** Headless Chromium, and the page in it. */
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll } from "vitest"

/** Where Debian's package has it. */
const executablePath = "/usr/bin/chromium"

/** A page that is open, and everything that it should not have done. */
export interface OpenPage {
  readonly page: Page
  readonly context: BrowserContext
  /** Messages of the console, faults of scripts, violations of the policy, dialogs, and requests to other origins. */
  readonly incidents: ReadonlyArray<string>
}

/** The options of a page for a test. */
export interface OpenOptions extends BrowserContextOptions {
  readonly path?: string
}

/** One browser for the tests of a file; each page has its own context, which `close` ends. */
export const useBrowser = () => {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] })
  })
  afterAll(() => browser?.close())

  const open = async (origin: string, { path = "/", ...options }: OpenOptions = {}): Promise<OpenPage> => {
    if (browser === undefined) throw new Error("the browser has not started")
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    const page = await context.newPage()
    const incidents: Array<string> = []
    page.on("console", (message) => incidents.push(`console: ${message.text()}`))
    page.on("pageerror", (error) => incidents.push(`fault: ${error.message}`))
    page.on("dialog", (dialog) => {
      incidents.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on("request", (request) => {
      if (!request.url().startsWith(`${origin}/`)) incidents.push(`request: ${request.url()}`)
    })
    await page.goto(`${origin}${path}`)
    return { page, context, incidents }
  }

  /** Opens the page for as long as a test uses it. */
  return async <A>(
    origin: string,
    options: OpenOptions,
    use: (opened: OpenPage) => Promise<A>
  ): Promise<A> => {
    const opened = await open(origin, options)
    try {
      return await use(opened)
    } finally {
      await opened.context.close()
    }
  }
}
