/** The public texts of the facade, all fixed: in English for clients, and in the languages of its pages for users. */
import type { OAuthRejection } from "../errors/GatewayError.ts"

export const languages = ["en", "de"] as const

export type Language = (typeof languages)[number]

type Texts<K extends string> = Readonly<Record<K, Readonly<Record<Language, string>>>>

export const rejectionTexts: Texts<OAuthRejection> = {
  RepeatedParameter: { en: "A parameter is repeated", de: "Ein Parameter ist mehrfach vorhanden" },
  MissingParameter: { en: "A required parameter is missing", de: "Ein erforderlicher Parameter fehlt" },
  MalformedRequest: { en: "The request is malformed", de: "Die Anfrage ist fehlerhaft" },
  UnknownClient: { en: "The client is not known", de: "Die Anwendung ist nicht bekannt" },
  ClientCredentials: {
    en: "Clients of this server have no secret",
    de: "Anwendungen dieses Servers haben kein Kennwort"
  },
  RedirectUri: { en: "The redirect URI is not allowed", de: "Die Rücksprungadresse ist nicht zugelassen" },
  ResponseType: { en: "Only the response type code is supported", de: "Nur der Antworttyp code wird unterstützt" },
  Pkce: { en: "PKCE with S256 is required", de: "PKCE mit S256 ist erforderlich" },
  Resource: { en: "The resource is not this server", de: "Die Ressource ist nicht dieser Server" },
  Scope: { en: "The provider rejected the scope", de: "Der Anmeldedienst lehnt die Berechtigungen ab" },
  LoginRequired: { en: "The user has to sign in", de: "Eine Anmeldung ist erforderlich" },
  State: {
    en: "The sign-in has expired, or was begun in another browser, or cookies are blocked",
    de: "Die Anmeldung ist abgelaufen, wurde in einem anderen Browser begonnen, oder Cookies sind gesperrt"
  },
  CrossSite: {
    en: "The request came from another site",
    de: "Die Anfrage kam von einer fremden Seite"
  },
  Denied: { en: "Access was denied", de: "Der Zugriff wurde abgelehnt" },
  Provider: { en: "The identity provider reported an error", de: "Der Anmeldedienst meldet einen Fehler" },
  MixUp: {
    en: "The response is not from the identity provider that was asked",
    de: "Die Antwort kommt nicht vom gefragten Anmeldedienst"
  },
  Code: {
    en: "The authorization code is invalid or has expired",
    de: "Der Anmeldecode ist ungültig oder abgelaufen"
  },
  Verifier: { en: "The code verifier does not match", de: "Der Code-Verifier passt nicht" },
  RefreshToken: { en: "The refresh token is invalid", de: "Das Refresh-Token ist ungültig" },
  Assertion: { en: "The identity assertion is invalid", de: "Die Identitätsbestätigung ist ungültig" },
  NoAssertions: {
    en: "Enterprise-managed authorization is not supported: the identity provider cannot exchange identity assertions",
    de: "Identitätsbestätigungen werden nicht unterstützt: Der Anmeldedienst kann sie nicht einlösen"
  },
  GrantType: { en: "The grant type is not supported", de: "Der Grant-Typ wird nicht unterstützt" },
  ClientMetadata: { en: "The client metadata are invalid", de: "Die Angaben zur Anwendung sind ungültig" }
}

/** The texts of the pages; `{client}`, `{server}` and `{host}` are placeholders. */
export const pageTexts = {
  consentTitle: { en: "Allow access?", de: "Zugriff erlauben?" },
  consentAsks: {
    en: "An application wants to use this server in your name:",
    de: "Eine Anwendung möchte diesen Server in Ihrem Namen verwenden:"
  },
  server: { en: "Server", de: "Server" },
  client: { en: "Application, by its own account", de: "Anwendung, nach eigenen Angaben" },
  clientId: { en: "Published by", de: "Veröffentlicht von" },
  host: { en: "After signing in you are sent to", de: "Nach der Anmeldung geht es weiter zu" },
  scopes: { en: "Permissions", de: "Berechtigungen" },
  thisComputer: { en: "a program on this computer", de: "ein Programm auf diesem Computer" },
  warning: {
    en: "Continue only if you have just started to sign in there yourself.",
    de: "Fahren Sie nur fort, wenn Sie die Anmeldung dort gerade selbst begonnen haben."
  },
  allow: { en: "Allow and sign in", de: "Erlauben und anmelden" },
  deny: { en: "Cancel", de: "Abbrechen" },
  errorTitle: { en: "Sign-in is not possible", de: "Die Anmeldung ist nicht möglich" },
  errorAdvice: {
    en: "Close this page, and start again in your application.",
    de: "Schließen Sie diese Seite, und beginnen Sie in Ihrer Anwendung noch einmal."
  },
  unavailable: {
    en: "The identity provider or this server cannot be used at the moment",
    de: "Der Anmeldedienst oder dieser Server ist zurzeit nicht verfügbar"
  },
  onwardTitle: { en: "One moment", de: "Einen Augenblick" },
  onward: { en: "Continue", de: "Weiter" }
} as const satisfies Texts<string>

const maxField = 512

/** The language of the pages by `Accept-Language` (RFC 9110, section 12.5.4): English unless German is preferred. */
export const preferredLanguage = (acceptLanguage: string | undefined): Language => {
  let best: { readonly language: Language; readonly weight: number } | undefined
  for (const part of (acceptLanguage ?? "").slice(0, maxField).toLowerCase().split(",")) {
    const [range = "", quality] = part.trim().split(/\s*;\s*q=/)
    const language = languages.find((known) => range === known || range.startsWith(`${known}-`))
    const weight = quality === undefined ? 1 : Number(quality)
    if (language !== undefined && weight > (best?.weight ?? 0)) best = { language, weight }
  }
  return best?.language ?? "en"
}
