/** A browser, and the client that sends its user through it, step by step. */
import * as Effect from "effect/Effect"
import { createHash, randomBytes } from "node:crypto"
import type { FillIn, PageForm } from "../support/PageForm.ts"
import { consentForm } from "./consenting.ts"

/** A page or redirect as a browser gets it. */
export interface Visit {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Its redirect, if any. */
  readonly location: string | undefined
}

type Fields = Readonly<Record<string, string>>

type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** Sends a request again whose kept connection ended before it, with the process at its other end. */
export const fetchAgain: Fetch = async (url, init) => {
  const send = () => globalThis.fetch(url, init)
  return send().catch(send)
}

/** Keeps cookies, and does not follow redirects itself. */
export class Browser {
  readonly cookies = new Map<string, string>()
  readonly #fetch: Fetch

  constructor(fetch: Fetch = globalThis.fetch) {
    this.#fetch = fetch
  }

  async #send(url: string, init: RequestInit, fields: Fields): Promise<Visit> {
    const cookie = Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join("; ")
    const response = await this.#fetch(url, {
      ...init,
      redirect: "manual",
      headers: { ...(cookie === "" ? {} : { cookie }), ...fields }
    })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";")
      const equals = pair.indexOf("=")
      const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)]
      // An empty value, or a time in 1970, is how servers take a cookie back.
      if (value === "" || /;\s*(?:expires=Thu, 01[ -]Jan[ -]1970|max-age=0)/i.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    const text = await response.text()
    const refresh = /<meta http-equiv="refresh" content="0;url=([^"]+)">/.exec(text)?.[1]?.replaceAll("&amp;", "&")
    const { headers, status } = response
    return { status, headers, text, location: headers.get("location") ?? refresh }
  }

  #request(url: string, form: PageForm | undefined): Effect.Effect<Visit> {
    const init = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form.fields) }
    return Effect.promise(() => this.#send(url, init, {}))
  }

  visit(url: string, fields: Fields = {}): Effect.Effect<Visit> {
    return Effect.promise(() => this.#send(url, {}, fields))
  }

  /** Presses a button of the consent page. */
  decide(page: string, decision: "allow" | "deny", fields: Fields = {}): Effect.Effect<Visit> {
    const form = consentForm(page, decision)
    if (form === undefined) return Effect.die(`no consent page: ${page}`)
    return Effect.promise(() =>
      this.#send(form.action, { method: "POST", body: new URLSearchParams(form.fields) }, fields)
    )
  }

  /**
   * Follows redirects from `start`, and sends the forms of the pages on the way as `fillIn` fills them in, until a redirect leads to
   * a URL that begins with `prefix`, which is not visited. `before` runs before each request.
   */
  walk(
    start: string,
    prefix: string,
    fillIn: FillIn,
    before: (url: string) => Effect.Effect<void> = () => Effect.void
  ): Effect.Effect<URL> {
    return Effect.gen({ self: this }, function*() {
      let url = start
      let form: PageForm | undefined
      for (let step = 0; step < 20; step++) {
        yield* before(url)
        const visit: Visit = yield* this.#request(url, form)
        form = visit.location === undefined ? fillIn(visit.text) : undefined
        const next: string | undefined = visit.location ?? form?.action
        if (next === undefined) return yield* Effect.die(`${url} leads nowhere: ${visit.status} ${visit.text}`)
        url = new URL(next, url).href
        if (form === undefined && url.startsWith(prefix)) return new URL(url)
      }
      return yield* Effect.die(`nothing leads to ${prefix}: ${url}`)
    })
  }

  /** Follows redirects until one leads to a URL that begins with `prefix`, which is not visited. */
  follow(start: Visit, prefix: string): Effect.Effect<string> {
    return Effect.gen({ self: this }, function*() {
      let { location, text } = start
      for (let step = 0; step < 10 && location !== undefined; step++) {
        if (location.startsWith(prefix)) return location
        const url: string = location
        const next = yield* this.visit(url)
        location = next.location === undefined ? undefined : new URL(next.location, url).href
        text = next.text
      }
      return yield* Effect.die(`nothing leads to ${prefix}: ${location ?? text}`)
    })
  }
}

export const redirectUri = "http://127.0.0.1:33418/callback"

/** A client's request for authorization. */
export class SignIn {
  readonly verifier = randomBytes(32).toString("base64url")
  readonly state = randomBytes(8).toString("hex")
  readonly origin: string
  readonly clientId: string

  constructor(origin: string, clientId: string) {
    this.origin = origin
    this.clientId = clientId
  }

  /** The URL that the client sends its user to; an `undefined` parameter is left out. */
  url(changes: Readonly<Record<string, string | undefined>> = {}): string {
    const parameters = Object.entries({
      response_type: "code",
      client_id: this.clientId,
      redirect_uri: redirectUri,
      state: this.state,
      code_challenge: createHash("sha256").update(this.verifier).digest("base64url"),
      code_challenge_method: "S256",
      resource: `${this.origin}/mcp`,
      ...changes
    }).flatMap(([name, value]) => value === undefined ? [] : [[name, value]])
    return `${this.origin}/authorize?${new URLSearchParams(parameters)}`
  }

  /** From the authorization request to the callback of the gateway, which is not visited. */
  callbackUrl(browser: Browser): Effect.Effect<string> {
    return Effect.gen({ self: this }, function*() {
      const page = yield* browser.visit(this.url())
      const onward = yield* browser.decide(page.text, "allow")
      return yield* browser.follow(onward, `${this.origin}/oauth/callback?`)
    })
  }

  /** The parameters that the client gets back. */
  callback(browser: Browser): Effect.Effect<URLSearchParams> {
    return Effect.gen({ self: this }, function*() {
      const { location } = yield* browser.visit(yield* this.callbackUrl(browser))
      return new URL(location ?? "about:blank").searchParams
    })
  }

  /** The form of the token request for a code. */
  form(code: string, changes: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    return {
      grant_type: "authorization_code",
      client_id: this.clientId,
      redirect_uri: redirectUri,
      code,
      code_verifier: this.verifier,
      ...changes
    }
  }
}

/** Sends a form to an endpoint of the gateway. */
export const post = (
  url: string,
  form: Readonly<Record<string, string>> | string,
  fields: Fields = {},
  fetch: Fetch = globalThis.fetch
) =>
  Effect.promise(async () => {
    const response = await fetch(url, {
      method: "POST",
      body: typeof form === "string" ? form : new URLSearchParams(form),
      headers: typeof form === "string" ? { "content-type": "application/x-www-form-urlencoded", ...fields } : fields
    })
    const text = await response.text()
    const body: Readonly<Record<string, string>> = text.startsWith("{") ? JSON.parse(text) : {}
    return { status: response.status, headers: response.headers, body, text }
  })
