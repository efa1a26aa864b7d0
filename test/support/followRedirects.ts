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

/**
 * Follows redirects from `start` until one leads to `callback`, which is not called itself.
 *
 * Gives the URL it would have called. Throws when an answer is no redirect, or after ten of them.
 */
export const followRedirects = async (start: URL, callback: string): Promise<URL> => {
  const jar = new Map<string, string>()
  let url = start
  for (let step = 0; step < 10; step++) {
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ")
    const answer = await fetch(url, { redirect: "manual", headers: cookie === "" ? {} : { cookie } })
    const text = await answer.text()
    store(jar, answer.headers.getSetCookie())
    const location = answer.headers.get("location")
    if (location === null) throw new Error(`${url.pathname} answered ${answer.status} without a redirect: ${text}`)
    url = new URL(location, url)
    if (url.href.startsWith(`${callback}?`)) return url
  }
  throw new Error(`more than ten redirects, the last to ${url.pathname}`)
}
