/** The user before the pages of the facade. */
import type { FillIn } from "../support/PageForm.ts"

const decode = (text: string): string =>
  text.replaceAll("&quot;", "\"").replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")

/** The form that the consent page would send. */
export const consentForm = (page: string, decision: "allow" | "deny") => {
  const action = /<form method="post" action="([^"]+)">/.exec(page)?.[1]
  const request = /<input type="hidden" name="request" value="([^"]+)">/.exec(page)?.[1]
  return action === undefined || request === undefined
    ? undefined
    : { action: decode(action), fields: { request: decode(request), decision } }
}

/** Consents to everything. */
export const allow: FillIn = (page) => consentForm(page, "allow")
