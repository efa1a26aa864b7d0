/**
 * The script of the page, as one function that uses nothing outside of itself, because its text is served as
 * `/page.js`.
 *
 * It refreshes the live parts of the page, applies filters while they are typed, and shows explanations without leaving the
 * page. The page works without it.
 */
// oxlint-disable unicorn/consistent-function-scoping -- its text must be complete
export const browser = (): void => {
  const refreshMillis = 5_000
  const waitMillis = 15_000

  /** Parses pages without `innerHTML` or similar, which the policy of the page forbids. Nothing in them is executed. */
  const request = (method: string, url: string, body?: URLSearchParams): Promise<Document> =>
    new Promise((resolve, reject) => {
      const call = new XMLHttpRequest()
      call.open(method, url)
      call.responseType = "document"
      call.timeout = waitMillis
      call.setRequestHeader("accept", "text/html")
      const fail = (reason: string) => () => reject(new Error(reason))
      call.addEventListener("load", () => {
        const document = call.responseXML
        if (document !== null && document.querySelector("[data-live]") !== null) resolve(document)
        else reject(new Error(`the gateway responded with ${call.status}`))
      })
      call.addEventListener("error", fail("the gateway cannot be reached"))
      call.addEventListener("timeout", fail("the gateway does not respond"))
      call.send(body ?? null)
    })

  /** What readers have changed must survive a refresh. */
  const isOfReader = (element: Element, attribute: string): boolean =>
    attribute === "open" && element instanceof HTMLDetailsElement

  const sameKind = (one: Node, other: Node): boolean =>
    one.nodeName === other.nodeName && (
      !(one instanceof Element) || !(other instanceof Element) ||
      one.getAttribute("data-key") === other.getAttribute("data-key")
    )

  const changeAttributes = (from: Element, to: Element): void => {
    for (const name of Array.from(from.attributes, ({ name }) => name)) {
      if (!to.hasAttribute(name) && !isOfReader(from, name)) from.removeAttribute(name)
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value && !isOfReader(from, name)) from.setAttribute(name, value)
    }
  }

  /**
   * Changes a node of the page until it equals another one. Equal parts are kept, and with them focus, selection,
   * scroll position and open sections.
   */
  const change = (from: Node, to: Node): void => {
    if (!(from instanceof Element) || !(to instanceof Element)) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue
      return
    }
    changeAttributes(from, to)
    let next = from.firstChild
    for (const wanted of to.childNodes) {
      let found = next
      // Nodes that are gone or come later. Those in between are removed below, if no later node is like them.
      while (found !== null && !sameKind(found, wanted)) found = found.nextSibling
      if (found === null) {
        from.insertBefore(document.importNode(wanted, true), next)
        continue
      }
      const key = wanted instanceof Element ? wanted.getAttribute("data-key") : null
      if (found !== next) {
        if (key === null) {
          from.insertBefore(document.importNode(wanted, true), next)
          continue
        }
        while (next !== null && next !== found) {
          const gone: ChildNode = next
          next = next.nextSibling
          gone.remove()
        }
      }
      change(found, wanted)
      next = found.nextSibling
    }
    while (next !== null) {
      const gone: ChildNode = next
      next = next.nextSibling
      gone.remove()
    }
  }

  /** A reader who has selected text may want to copy it, so it is not changed. */
  const isMarked = (element: Element): boolean => {
    const selection = document.getSelection()
    return selection !== null && !selection.isCollapsed && selection.containsNode(element, true)
  }

  const show = (fresh: Document): void => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const name = part.getAttribute("data-live") ?? ""
      const other = [...fresh.querySelectorAll("[data-live]")].find((one) => one.getAttribute("data-live") === name)
      if (other !== undefined && !isMarked(part)) change(part, other)
    }
    document.title = fresh.title
    const icon = fresh.querySelector("link[rel=icon]")?.getAttribute("href")
    const own = document.querySelector("link[rel=icon]")
    if (icon !== null && icon !== undefined && own?.getAttribute("href") !== icon) own?.setAttribute("href", icon)
  }

  const stale = document.getElementById("stale")
  const pause = document.getElementById("pause")
  const filters = document.getElementById("filters")
  let isPaused = false
  let lastGood = performance.now()
  let timer: ReturnType<typeof setTimeout> | undefined
  // Ignored if a later request was already sent.
  let latest = 0

  const query = (): string => {
    if (!(filters instanceof HTMLFormElement)) return location.search
    const given = new URLSearchParams()
    for (const [name, value] of new FormData(filters)) {
      if (typeof value === "string" && value !== "") given.set(name, value)
    }
    const text = given.toString()
    return text === "" ? "" : `?${text}`
  }

  const later = (millis: number): void => {
    clearTimeout(timer)
    if (!isPaused && !document.hidden) timer = setTimeout(refresh, millis)
  }

  const refresh = async (): Promise<void> => {
    clearTimeout(timer)
    const own = ++latest
    try {
      const fresh = await request("GET", `./${query()}`)
      if (own !== latest) return
      show(fresh)
      lastGood = performance.now()
      if (stale !== null) stale.hidden = true
    } catch (error) {
      if (own !== latest) return
      if (stale !== null) {
        const text = `Not up to date for ${Math.round((performance.now() - lastGood) / 1000)} seconds: ${
          error instanceof Error ? error.message : "unknown"
        }. Trying again.`
        stale.hidden = false
        stale.textContent = text
      }
    }
    later(refreshMillis)
  }

  if (pause !== null) {
    pause.hidden = false
    pause.addEventListener("click", () => {
      isPaused = !isPaused
      pause.setAttribute("aria-pressed", String(isPaused))
      pause.textContent = isPaused ? "Resume" : "Pause"
      if (isPaused) clearTimeout(timer)
      else void refresh()
    })
  }

  if (filters instanceof HTMLFormElement) {
    // Filters apply while they are typed. The button is for readers without scripts.
    document.getElementById("apply")?.closest("p")?.setAttribute("hidden", "")
    const apply = () => {
      history.replaceState(null, "", `./${query()}${location.hash}`)
      void refresh()
    }
    let typed: ReturnType<typeof setTimeout> | undefined
    filters.addEventListener("input", () => {
      clearTimeout(typed)
      typed = setTimeout(apply, 150)
    })
    filters.addEventListener("submit", (event) => {
      event.preventDefault()
      apply()
    })
  }

  const form = document.getElementById("explain-form")
  const explanation = document.getElementById("explanation")
  if (form instanceof HTMLFormElement && explanation !== null) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault()
      const fields = new URLSearchParams()
      for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.set(name, value)
      form.setAttribute("aria-busy", "true")
      try {
        const found = (await request("POST", "./explain", fields)).getElementById("explanation")
        explanation.replaceChildren(...[...(found?.childNodes ?? [])].map((node) => document.importNode(node, true)))
      } catch (error) {
        const text = document.createElement("p")
        text.className = "problem"
        text.textContent = `Not explained: ${error instanceof Error ? error.message : "unknown"}.`
        explanation.replaceChildren(text)
      }
      form.removeAttribute("aria-busy")
      explanation.focus()
    })
    // Cleared, so that the browser does not offer the token again when the reader returns to the page.
    addEventListener("pagehide", () => form.reset())
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer)
    else if (!isPaused) void refresh()
  })
  later(refreshMillis)
}
