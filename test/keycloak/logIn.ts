import type { PageForm } from "../support/PageForm.ts"
import { user } from "./Realm.ts"

const unescape = (text: string): string => text.replaceAll("&amp;", "&")

const attribute = (tag: string, name: string): string | undefined => {
  const [, value] = new RegExp(`\\b${name}="([^"]*)"`).exec(tag) ?? []
  return value === undefined ? undefined : unescape(value)
}

/** Fills in the form of one of Keycloak's pages as alice would: the log-in, or the consent. */
export const logIn = (page: string): PageForm | undefined => {
  const [form] = /<form\b[^>]*>[^]*?<\/form>/.exec(page) ?? []
  if (form === undefined) return undefined
  const [tag = ""] = /^<form\b[^>]*>/.exec(form) ?? []
  const inputs = [...form.matchAll(/<input\b[^>]*>/g)].map(([input]) => input)
  const fields: Record<string, string> = {}
  for (const input of inputs) {
    const name = attribute(input, "name")
    if (name === undefined) continue
    if (attribute(input, "type") === "hidden") fields[name] = attribute(input, "value") ?? ""
    if (name === "username") fields[name] = user.name
    if (name === "password") fields[name] = user.password
    if (name === "accept") fields[name] = attribute(input, "value") ?? ""
  }
  return { action: attribute(tag, "action") ?? "", fields }
}
