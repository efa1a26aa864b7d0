/** The pages of the facade: plain HTML without scripts. Pure. */
import { escapeHtml } from "../errors/escapeHtml.ts"
import { type Language, pageTexts } from "./texts.ts"

const maxShown = 80

/** Shortens untrusted text to one line, without control and format characters, which could reorder or hide text. */
export const shownLine = (text: string): string => {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ").trim()
  const characters = Array.from(line)
  return characters.length > maxShown ? `${characters.slice(0, maxShown).join("")}…` : line
}

/** The style of all pages. Their content security policy allows it by its digest. */
export const pageStyle =
  "body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:clamp(1rem,6vw,3rem) auto;padding:0 1rem}" +
  "h1{font-size:1.75rem;line-height:1.25}" +
  "dt{font-weight:600}dd{margin:0 0 .75rem;overflow-wrap:anywhere}button{font:inherit;padding:.5rem 1rem;margin:0 .5rem .5rem 0}" +
  "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#9cf}}"

const page = (language: Language, title: string, head: string, body: string): string =>
  `<!doctype html>\n<html lang="${language}">\n<head>\n<meta charset="utf-8">\n` +
  `<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">\n${head}` +
  `<title>${escapeHtml(title)}</title>\n<style>${pageStyle}</style>\n</head>\n<body>\n<main>\n` +
  `<h1>${escapeHtml(title)}</h1>\n${body}</main>\n</body>\n</html>\n`

/** The data that the consent page shows and that its form sends. */
export interface Consent {
  /** The URL that the form is sent to. */
  readonly action: string
  readonly sealed: string
  /** The MCP server. */
  readonly resource: string
  /** The host that the user is sent back to; `undefined` if that is a program on the user's computer. */
  readonly host: string | undefined
  readonly redirectUri: string
  /** The URL of the client's document, and the name in it. */
  readonly client: { readonly id: string; readonly name: string | undefined } | undefined
  readonly scopes: ReadonlyArray<string>
}

const entry = (term: string, ...descriptions: ReadonlyArray<string>): string =>
  `<dt>${escapeHtml(term)}</dt>\n${descriptions.map((one) => `<dd>${escapeHtml(one)}</dd>\n`).join("")}`

/** The URL of a client's document. Its host is never shortened, because the end of a host shows who owns it. */
const publisher = (id: string): string => {
  const { origin } = new URL(id)
  return `${origin}${shownLine(id.slice(origin.length))}`
}

/** The page that asks whether a client may act for the user. */
export const consentPage = (
  language: Language,
  { action, client, host, redirectUri, resource, scopes, sealed }: Consent
) => {
  const text = (key: keyof typeof pageTexts) => pageTexts[key][language]
  const to = host ?? `${text("thisComputer")} (${shownLine(redirectUri)})`
  return page(
    language,
    text("consentTitle"),
    "",
    `<p>${escapeHtml(text("consentAsks"))}</p>\n<dl>\n` + entry(text("server"), resource) + entry(text("host"), to) +
      (client === undefined ? "" : entry(text("clientId"), publisher(client.id))) +
      (client?.name === undefined ? "" : entry(text("client"), shownLine(client.name))) +
      // Every scope is shown in full: if the list were shortened, the client could choose what is hidden.
      (scopes.length === 0 ? "" : entry(text("scopes"), ...scopes)) +
      `</dl>\n<p>${escapeHtml(text("warning"))}</p>\n<form method="post" action="${escapeHtml(action)}">\n` +
      `<input type="hidden" name="request" value="${escapeHtml(sealed)}">\n` +
      `<button name="decision" value="allow">${escapeHtml(text("allow"))}</button>\n` +
      `<button name="decision" value="deny">${escapeHtml(text("deny"))}</button>\n</form>\n`
  )
}

/**
 * The page after a form, which then leads to the provider. The form cannot redirect there: some browsers apply
 * `form-action` to redirects too, and the provider's redirects are unknown.
 */
export const onwardPage = (language: Language, location: string): string =>
  page(
    language,
    pageTexts.onwardTitle[language],
    `<meta http-equiv="refresh" content="0;url=${escapeHtml(location)}">\n`,
    `<p><a href="${escapeHtml(location)}">${escapeHtml(pageTexts.onward[language])}</a></p>\n`
  )

/** The page for an error that must not be sent to a redirect URI. */
export const errorPage = (language: Language, description: string): string =>
  page(
    language,
    pageTexts.errorTitle[language],
    "",
    `<p>${escapeHtml(description)}.</p>\n<p>${escapeHtml(pageTexts.errorAdvice[language])}</p>\n`
  )
