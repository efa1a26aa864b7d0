/** The files that the page loads, all from the gateway itself. Pure. */
import { browser } from "./browser.ts"
import { style } from "./style.ts"

export interface Asset {
  readonly type: string
  readonly body: string
}

const icon = (colour: string, shape: string): Asset => ({
  type: "image/svg+xml",
  body:
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="${colour}" d="M12 2 21 6v6c0 5-3.8 8.6-9 10-5.2-1.4-9-5-9-10V6Z"/><path fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" d="${shape}"/></svg>`
})

/** The files by path. Each icon also shows the state by its shape, which is visible on the browser's tab. */
export const assets: Readonly<Record<string, Asset>> = {
  "/page.css": { type: "text/css; charset=utf-8", body: style },
  "/page.js": { type: "text/javascript; charset=utf-8", body: `(${String(browser)})()\n` },
  "/icon-ok.svg": icon("#2c7a52", "m8 12 3 3 5.2-5.6"),
  "/icon-warn.svg": icon("#a06a00", "M12 7v6M12 16.4v.4"),
  "/icon-bad.svg": icon("#b3261e", "m8.5 8.5 7 7m0-7-7 7")
}

/**
 * The content security policy of the page: it may load these files, and send requests to the gateway itself. No inline
 * scripts or styles, no other host, no frames, and no text that becomes markup.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'"
].join("; ")

/** The fields of every response on the page's paths, except for its type and length. */
export const pageFields: Readonly<Record<string, string>> = {
  "content-security-policy": contentSecurityPolicy,
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  // With `no-referrer`, browsers would send `Origin: null` with the form.
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY"
}
