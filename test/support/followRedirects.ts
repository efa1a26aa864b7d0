/** Walks through a login by redirects, as a browser would, with a cookie jar. */

const store = (jar: Map<string, string>, cookies: ReadonlyArray<string>): void => {
  for (const cookie of cookies) {
    const [pair = "", ...attributes] = cookie.split(/; */)
    const equals = pair.indexOf("=")
    const name = pair.slice(0, equals)
    const value = pair.slice(equals + 1)
    // An empty value is how the servers of these tests take a cookie back.
    if (value === "" || attributes.includes("expires=Thu, 01 Jan 1970 00:00:00 GMT")) jar.delete(name)
    else jar.set(name, value)
  }
}

/** A form of a page as it is sent (`POST`). */
export interface PageForm {
  /** Where to; relative to the page. */
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

/** The target of a page that redirects itself. */
const refreshOf = (page: string): string | null =>
  /<meta http-equiv="refresh" content="0;url=([^"]+)">/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? null

/** Fills in the form of a page; `undefined` if there is none. */
export type FillIn = (page: string) => PageForm | undefined

/**
 * Follows redirects from `start` until one leads to `callback`, which is not called itself; pages on the way are for
 * `fillIn`.
 *
 * Returns the URL that it would have called. Throws when a response is neither a redirect nor a form, or after ten of
 * them.
 */
export const followRedirects = async (start: URL, callback: string, fillIn?: FillIn): Promise<URL> => {
  const jar = new Map<string, string>()
  let url = start
  let form: PageForm | undefined
  for (let step = 0; step < 10; step++) {
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ")
    const response = await fetch(url, {
      redirect: "manual",
      headers: cookie === "" ? {} : { cookie },
      ...(form === undefined ? {} : { method: "POST", body: new URLSearchParams(form.fields) })
    })
    const text = await response.text()
    store(jar, response.headers.getSetCookie())
    const location = response.headers.get("location") ?? refreshOf(text)
    form = location === null ? fillIn?.(text) : undefined
    if (form !== undefined) {
      url = new URL(form.action, url)
      continue
    }
    if (location === null) {
      throw new Error(`${url.pathname} responded with ${response.status} without a redirect: ${text}`)
    }
    url = new URL(location, url)
    if (url.href.startsWith(`${callback}?`)) return url
  }
  throw new Error(`more than ten redirects, the last to ${url.pathname}`)
}
